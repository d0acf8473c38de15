using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Generation;

/// <summary>The way from a model's name to an encoder: find the version, tell the caller which it is, load it.</summary>
internal sealed class EncoderGate(InferenceGate gate, ModelHost host)
{
    /// <summary>The tasks of models that write text; all others read.</summary>
    private static readonly string[] Writers = [ModelIntake.TextGeneration, "text2text-generation"];

    /// <summary>A loaded encoder; give the lease back when its numbers are out.</summary>
    public async Task<ModelLease> LeaseAsync(string? name, HttpResponse response, CancellationToken cancel)
    {
        var model = await gate.FindAsync(name, response, cancel);
        return Writers.Contains(model.Task)
            ? throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model '{model.Name}' is for {model.Task}; this needs one that reads texts (an encoder).") { Field = "model" }
            : await host.LeaseAsync(model, cancel);
    }
}
