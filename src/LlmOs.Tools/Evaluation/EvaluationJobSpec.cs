using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;

namespace LlmOs.Tools.Evaluation;

/// <summary>Evaluations that are submitted as jobs, so that they can come after others: after the training of what they measure, say.</summary>
internal sealed class EvaluationJobSpec(LlmOsSettings settings, IGenerationService generation) : IJobSpec
{
    public string Kind => EvaluationRunner.JobKind;

    public async Task<object> CheckAsync(JsonElement spec, CancellationToken cancel) =>
        await CheckAsync(FreeForm.Read<EvaluationRequest>(spec, "spec"), settings, generation, cancel);

    /// <summary>Says what is wrong before there is a job.</summary>
    /// <returns>The request with the version of now: that is what is measured, also when its alias moves on while the job waits.</returns>
    public static async Task<EvaluationRequest> CheckAsync(EvaluationRequest request, LlmOsSettings settings, IGenerationService generation, CancellationToken cancel)
    {
        if (EvaluationPlan.Of(request) is PerplexityPlan perplexity)
        {
            ImportSource.ResolveFile(perplexity.Text, "text", settings.ImportDirs);
        }

        return request with { Model = (await generation.FindAsync(request.Model, ModelNeed.Scoring, "model", cancel)).Reference };
    }
}
