using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Import;

namespace LlmOs.Tools.Tokenizers;

/// <summary>Tokenizer trainings that are submitted as jobs, so that a model's training can come after them.</summary>
internal sealed class TokenizerJobSpec(LlmOsSettings settings) : IJobSpec
{
    public string Kind => TokenizerRunner.JobKind;

    public Task<object> CheckAsync(JsonElement spec, CancellationToken cancel) =>
        Task.FromResult<object>(Check(FreeForm.Read<TokenizerTrainingRequest>(spec, "spec"), settings));

    /// <summary>Says what is wrong before there is a job.</summary>
    public static TokenizerTrainingRequest Check(TokenizerTrainingRequest request, LlmOsSettings settings)
    {
        TokenizerPlan.Of(request);
        ImportSource.ResolveFile(request.Text, "text", settings.ImportDirs);
        return request;
    }
}
