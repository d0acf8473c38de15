using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Evaluation;

/// <summary>The job <c>evaluation</c>: measures a version with the engine that serves it. Stopped anywhere, it goes on with the next row.</summary>
internal sealed class EvaluationKind(LlmOsSettings settings, IGenerationService generation, IDbContextFactory<LlmOsDb> databases, TimeProvider clock)
    : JobKind<EvaluationRequest>
{
    public override string Word => "evaluation";

    /// <summary>Finished rows are on the disk, so a pause costs the row that is being measured.</summary>
    public override bool CanPause => true;

    /// <returns>The request with the version of now: that is what is measured, also when its alias moves on while the job waits.</returns>
    public override async Task<EvaluationRequest> CheckAsync(EvaluationRequest request, CancellationToken cancel)
    {
        if (EvaluationPlan.Of(request) is PerplexityPlan perplexity)
        {
            ImportSource.ResolveFile(perplexity.Text, "text", settings.ImportDirs);
        }

        return request with { Model = (await generation.FindAsync(request.Model, ModelNeed.Scoring, "model", cancel)).Reference };
    }

    protected override string? SubjectOf(EvaluationRequest request) => request.Model;

    protected override async Task<JobPublish> RunAsync(JobContext job, EvaluationRequest request, CancellationToken cancel)
    {
        var plan = EvaluationPlan.Of(request);
        await using var model = await generation.ScoreAsync(await generation.FindAsync(request.Model, ModelNeed.Scoring, "model", cancel), GenerationCaller.OfJob(job.Id), cancel);
        var report = Reporter(job);
        var outcome = plan switch
        {
            PerplexityPlan perplexity => await PerplexityMeasure.RunAsync(
                perplexity, ImportSource.ResolveFile(perplexity.Text, "text", settings.ImportDirs), model, job.CheckpointFolder, report, cancel),
            ChoicePlan choice => await ChoiceMeasure.RunAsync(choice, model, job.CheckpointFolder, report, cancel),
            _ => throw new InvalidOperationException($"There is no measure of kind '{plan.Kind}'."),
        };
        var reference = model.Reference;
        var id = job.Id;
        var versionId = await VersionIdAsync(reference, cancel);
        return (db, cancel) => PublishAsync(db, id, versionId, reference, outcome, cancel);
    }

    /// <summary>Reports the share done with the time to go, at the pace of this run's own rows.</summary>
    private Action<double, JobMessage> Reporter(JobContext job)
    {
        (double Done, long At)? first = null;
        return (done, message) =>
        {
            first ??= (done, clock.GetTimestamp());
            var (begun, at) = first.Value;
            var eta = done > begun ? clock.GetElapsedTime(at).TotalSeconds / (done - begun) * (1 - done) : (double?)null;
            job.Report(done, message, etaSeconds: eta);
        };
    }

    private async Task<long> VersionIdAsync(string reference, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return (await ModelResolver.ResolveAsync(db, reference, cancel)).Id;
    }

    private async Task<object> PublishAsync(LlmOsDb db, string id, long versionId, string reference, EvaluationOutcome outcome, CancellationToken cancel)
    {
        await ModelRegistry.AddMetricsAsync(db, versionId, outcome.Metrics, cancel);
        db.Add(new StoredEvaluation
        {
            Id = id,
            VersionId = versionId,
            Model = reference,
            Kind = outcome.Kind,
            Fingerprint = outcome.Fingerprint,
            Metrics = outcome.Metrics.GetRawText(),
            Rows = JsonSerializer.Serialize(outcome.Rows, LlmOsJson.Options),
            CreatedAt = clock.GetUtcNow(),
        });
        return outcome.Result;
    }
}
