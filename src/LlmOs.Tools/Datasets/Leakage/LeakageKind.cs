using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets.Preparation;
using LlmOs.Tools.Datasets.Preparation.Steps;
using LlmOs.Tools.Datasets.Rows;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Datasets.Leakage;

/// <summary>The job <c>leakage</c>: which rows of a test set stand in a training set.</summary>
internal sealed class LeakageKind(IDbContextFactory<LlmOsDb> databases, RowPages pages) : JobKind<LeakageRequest>
{
    private const int ReportEvery = 5_000;
    private const string UsualColumn = "text";

    public override string Word => "leakage";

    /// <returns>The request with the versions of now.</returns>
    public override async Task<LeakageRequest> CheckAsync(LeakageRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var train = await OpenAsync(db, request.Train, "train", request.TrainSplit, request.Column, cancel);
        var test = await OpenAsync(db, request.Test, "test", request.TestSplit, request.Column, cancel);
        FieldCheck.That(
            train.Version.Ref != test.Version.Ref || (request.TrainSplit is not null && request.TestSplit is not null && request.TrainSplit != request.TestSplit),
            "test",
            "A set stands in itself. Name another version, or two splits of it with 'train_split' and 'test_split'.");
        return request with { Train = train.Version.Ref, Test = test.Version.Ref };
    }

    protected override string? SubjectOf(LeakageRequest request) => request.Test;

    protected override async Task<JobPublish> RunAsync(JobContext job, LeakageRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var train = await OpenAsync(db, request.Train, "train", request.TrainSplit, request.Column, cancel);
        var test = await OpenAsync(db, request.Test, "test", request.TestSplit, request.Column, cancel);
        using var search = new LeakageSearch(request.Threshold ?? NearDuplicatesStep.Usual, new StepPlace(job.ScratchFolder));
        await foreach (var row in pages.ReadAsync(test.Version, request.TestSplit, 0, cancel))
        {
            if (row.Values[test.Column] is string { Length: > 0 } text)
            {
                search.AddTest(row.Number, text);
            }
        }

        var rows = RowPages.FilesOf(train.Version, request.TrainSplit).Sum(f => f.Rows);
        await foreach (var row in pages.ReadAsync(train.Version, request.TrainSplit, 0, cancel))
        {
            if (row.Values[train.Column] is string { Length: > 0 } text)
            {
                search.LookAtTrain(row.Number, text);
            }

            if (row.Number % ReportEvery == 0)
            {
                job.Report((double)row.Number / rows, DatasetCodes.Comparing.With(("row", row.Number), ("rows", rows)));
            }
        }

        var result = search.Result(train.Version.Ref, test.Version.Ref);
        return (_, _) => Task.FromResult<object>(result);
    }

    private static async Task<(DatasetVersion Version, int Column)> OpenAsync(LlmOsDb db, string reference, string field, string? split, string? column, CancellationToken cancel)
    {
        var version = await DatasetRegistry.ResolveAsync(db, reference, field, cancel);
        RowPages.FilesOf(version, split);
        var schema = RowSchema.Of(version.ReadColumns());
        var place = schema.Find(column ?? UsualColumn);
        return place >= 0 && schema.Columns[place].Type == ColumnType.Text
            ? (version, place)
            : throw LlmOsException.Invalid("column", $"column: {version.Ref} has no column of text named '{Shown.Of(column ?? UsualColumn)}'.");
    }
}
