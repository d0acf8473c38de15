using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Generation;

/// <summary>The way from a model's name to a run: find the version, tell the caller which it is, load it, begin.</summary>
internal sealed class InferenceGate(ModelCatalogue catalogue, ModelHost host, IOptions<ServingOptions> options)
{
    /// <summary>The header with the version that answers.</summary>
    public const string VersionHeader = "x-llmos-model-version";

    /// <summary>Finds the version that a name means and writes it into the answer's headers.</summary>
    public async Task<ServableModel> FindAsync(string? name, HttpResponse response, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(name))
        {
            throw LlmOsException.Invalid("model", "'model' is missing. Name one of the models that GET /v1/models lists.");
        }

        ServableModel model;
        try
        {
            model = await catalogue.FindAsync(name, cancel);
        }
        catch (LlmOsException refusal) when (refusal is { Code: ErrorCode.ModelNotFound, Field: null })
        {
            throw new LlmOsException(refusal.Code, refusal.Message, refusal) { Field = "model", Hint = refusal.Hint ?? "GET /v1/models lists those that there are." };
        }

        response.Headers[VersionHeader] = model.Reference;
        return model;
    }

    /// <summary>The same where a name may be left out while there is one model only: clients of servers with one model name none.</summary>
    public async Task<ServableModel> FindOnlyAsync(string? name, HttpResponse response, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(name))
        {
            return await FindAsync(name, response, cancel);
        }

        var models = await catalogue.ListAsync(cancel);
        return models.Count == 1
            ? await FindAsync(models[0].Name, response, cancel)
            : throw LlmOsException.Invalid("model", $"'model' is missing, and there are {models.Count} models. Name one of those that GET /v1/models lists.");
    }

    /// <summary>The same for a route that generates text.</summary>
    public async Task<ServableModel> FindGeneratorAsync(string? name, HttpResponse response, CancellationToken cancel)
    {
        var model = await FindAsync(name, response, cancel);
        return model.Task is ModelIntake.TextGeneration or ModelIntake.Text2Text
            ? model
            : throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model '{model.Name}' is for {model.Task}; this route needs one for {ModelIntake.TextGeneration}.") { Field = "model" };
    }

    /// <summary>Loads the model if need be and begins.</summary>
    /// <param name="encode">Makes the prompts' ids with the loaded model's tokenizer.</param>
    public async Task<InferenceRun> StartAsync(
        ServableModel model, InferenceOrder order, Func<LoadedModel, IReadOnlyList<int[]>> encode, CancellationToken cancel)
    {
        var lease = await host.LeaseAsync(model, cancel);
        IReadOnlyList<int[]> prompts;
        try
        {
            prompts = encode(lease.Model);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        return InferenceRun.Start(lease, prompts, order, options.Value.SequencesPerRequest);
    }

    /// <summary>The refusal of text by a model that has no tokenizer.</summary>
    public static LlmOsException NoTokenizer(LoadedGraph model, string field) => NoTokenizer(model.Reference, field);

    /// <param name="reference"><c>name:3</c></param>
    public static LlmOsException NoTokenizer(string reference, string field) =>
        new(ErrorCode.NoTokenizer, $"The model {reference} was imported without a tokenizer, so it cannot read text.")
        {
            Field = field,
            Hint = "Send token ids as the prompt of /v1/completions, or import the model together with its tokenizer.json.",
        };
}
