using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets.Rows;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>The job <c>preparation</c>: the rows of a version go through steps and become another. The same rows and steps give the same bytes.</summary>
internal sealed class PreparationKind(IDbContextFactory<LlmOsDb> databases, RowPages pages, DatasetRegistry registry, DataFolder folder) : JobKind<PreparationRequest>
{
    /// <summary>Rows between two reports.</summary>
    private const int ReportEvery = 5_000;

    public override string Word => "preparation";

    /// <returns>The request with the version of now: that is what is read, also when there is a newer one by then.</returns>
    public override async Task<PreparationRequest> CheckAsync(PreparationRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var version = await DatasetRegistry.ResolveAsync(db, request.Dataset, "dataset", cancel);
        var name = request.Name is null ? version.Dataset.Name : DatasetName.Check(request.Name, "name");
        await DatasetRegistry.RequireOpenAsync(db, name, cancel);
        using var probe = new PreparationRun(request.Steps, RowSchema.Of(version.ReadColumns()), new StepPlace(folder.Scratch));
        return request with { Dataset = version.Ref, Name = name, Preview = null };
    }

    protected override string? SubjectOf(PreparationRequest request) => request.Name;

    /// <summary>What the steps make of the first rows; nothing is stored.</summary>
    public async Task<PreparationResult> PreviewAsync(PreparationRequest request, int rows, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var version = await DatasetRegistry.ResolveAsync(db, request.Dataset, "dataset", cancel);
        var schema = RowSchema.Of(version.ReadColumns());
        var place = Directory.CreateDirectory(Path.Combine(folder.Scratch, $"preview-{Guid.NewGuid():n}")).FullName;
        try
        {
            using var run = new PreparationRun(request.Steps, schema, new StepPlace(place));
            List<JsonElement> items = [];
            SortedDictionary<string, long> splits = new(StringComparer.Ordinal);
            await foreach (var row in pages.ReadAsync(version, null, 0, cancel).Take(rows).WithCancellation(cancel))
            {
                if (run.Take(row) is { } left)
                {
                    using var document = JsonDocument.Parse(RowPages.Json(run.Schema, left.Values), new JsonDocumentOptions { MaxDepth = 66 });
                    items.Add(document.RootElement.Clone());
                    splits[left.Split] = splits.GetValueOrDefault(left.Split) + 1;
                }
            }

            return new PreparationResult(null, null, null, run.RowsIn, run.RowsOut, splits, null, run.Reports()) { Items = items };
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    protected override async Task<JobPublish> RunAsync(JobContext job, PreparationRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var version = await DatasetRegistry.ResolveAsync(db, request.Dataset, "dataset", cancel);
        var schema = RowSchema.Of(version.ReadColumns());
        using var run = new PreparationRun(request.Steps, schema, new StepPlace(job.ScratchFolder));
        await using var writer = new VersionWriter(job.ScratchFolder, run.Schema);
        await foreach (var row in pages.ReadAsync(version, null, 0, cancel))
        {
            if (run.Take(row) is { } left)
            {
                await writer.AddAsync(left.Split, left.Values, cancel);
            }

            if (run.RowsIn % ReportEvery == 0)
            {
                job.Report((double)run.RowsIn / version.Rows, DatasetCodes.Preparing.With(("row", run.RowsIn), ("rows", version.Rows)));
            }
        }

        if (writer.Rows == 0)
        {
            throw LlmOsException.Invalid("steps", "The steps leave no row.");
        }

        FaultPoints.Reach("preparation.prepared");
        var made = await writer.FinishAsync(
            request.Name!, version.License, new DatasetLineage(version.Ref, null, job.Id, JsonSerializer.SerializeToElement(request.Steps, LlmOsJson.Options)), job, cancel);
        var reports = run.Reports();
        FaultPoints.Reach("preparation.written");
        return async (db, cancel) =>
        {
            var result = await registry.PublishAsync(db, made, cancel);
            return new PreparationResult(result.Dataset, result.Version, result.Ref, run.RowsIn, run.RowsOut, result.Splits, result.Sha256, reports);
        };
    }
}
