using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets.Shapes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Datasets;

/// <summary><c>/api/v1/datasets</c>.</summary>
internal static class DatasetEndpoints
{
    /// <summary>Rows that are checked where a request says nothing: about a second.</summary>
    private const int UsualCheck = 100_000;

    private const string One = "/{name}/versions/{version:int}";

    public static void MapDatasets(this IEndpointRouteBuilder routes)
    {
        var datasets = routes.MapGroup("/api/v1/datasets").WithTags("Data sets");
        datasets.MapGet("/", List).WithName("ListDatasets").WithSummary("Lists data sets by name.").ProducesProblem(400);
        datasets.MapGet("/{name}", Get).WithName("GetDataset").WithSummary("Shows a data set and the numbers of its versions.").ProducesProblem(404);
        datasets.MapPatch("/{name}", Patch).WithName("ChangeDataset").WithSummary("Takes a data set out of use or back.")
            .ProducesProblem(400).ProducesProblem(404).WithRequestExample("""{"archived":true}""");
        datasets.MapDelete("/{name}", Delete).WithName("DeleteDataset").WithSummary("Deletes a data set with its versions, unless something was made of them.").ProducesProblem(404).ProducesProblem(409);

        // Two routes of one path: the content type decides. The document shows the one with JSON, and says what a form may hold.
        datasets.MapPost("/{name}/versions", Import).WithName("ImportDataset").WithSummary("Makes a version out of files; answers with the job that does it.")
            .WithDescription("The body is JSON with a source, or a form: its part `file` is the file (JSONL, JSON, CSV, TSV, Parquet, text or CoNLL, plain, gzip or zip), and `format`, `license`, `encoding`, `delimiter` and `header` may be fields of it.")
            .Accepts<DatasetImportRequest>("application/json")
            .WithRequestExample("""{"source":"hf:PolyAI/banking77","format":null,"license":"CC-BY-4.0"}""")
            .Produces<JobAccepted>(202).ProducesProblem(400).ProducesProblem(403).ProducesProblem(409);
        datasets.MapPost("/{name}/versions", Upload).ExcludeFromDescription()
            .Accepts<IFormFile>("multipart/form-data")
            .WithMetadata(new DisableRequestSizeLimitAttribute());

        datasets.MapGet("/{name}/versions", Versions).WithName("ListDatasetVersions").WithSummary("Lists the versions of a data set, the newest first.").ProducesProblem(404);
        datasets.MapGet(One, Version).WithName("GetDatasetVersion").WithSummary("Shows a version: columns, splits, hash, lineage.").ProducesProblem(404);
        datasets.MapDelete(One, DeleteVersion).WithName("DeleteDatasetVersion").WithSummary("Deletes a version, unless something was made of it.").ProducesProblem(404).ProducesProblem(409);
        datasets.MapGet(One + "/rows", Rows).WithName("ListDatasetRows").WithSummary("A page of rows, as they are; after is the number of the last row that is known, from 1.")
            .ProducesProblem(400).ProducesProblem(404);
        datasets.MapGet(One + "/statistics", Statistics).WithName("GetDatasetStatistics").WithSummary("What is known of each column: empty and different values, lengths, ranges.").ProducesProblem(404);
        datasets.MapGet(One + "/shape", Shape).WithName("GetDatasetShape").WithSummary("For which kinds of training the rows are, and which of them do not fit.")
            .WithDescription("Checks the first 100,000 rows, or as many as `rows` says; names the first hundred faults and counts all.")
            .ProducesProblem(400).ProducesProblem(404);
        datasets.MapGet(One + "/download", Download).WithName("DownloadDataset").WithSummary("All rows, or those of a split, as jsonl, csv or parquet.")
            .WithDescription("Parquet is one file a split: with several splits one must be named.")
            .Produces(200, contentType: "application/octet-stream").ProducesProblem(400).ProducesProblem(404);
    }

    private static async Task<Ok<Page<DatasetView>>> List(bool? archived, [AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        var datasets = DatasetRegistry.List(db, archived ?? false);
        if (paging.After is { } after)
        {
            datasets = datasets.Where(d => d.Name.CompareTo(after) > 0);
        }

        return TypedResults.Ok(await datasets.ToPageAsync(paging.Size, d => d.ToView(), d => d.Name, cancel));
    }

    private static async Task<Ok<DatasetView>> Get(string name, LlmOsDb db, CancellationToken cancel) => TypedResults.Ok(await DatasetRegistry.FindAsync(db, name, cancel));

    private static async Task<Ok<DatasetView>> Patch(string name, DatasetPatch request, LlmOsDb db, DatasetRegistry registry, CancellationToken cancel)
    {
        if (request.Archived is { } archived)
        {
            await registry.SetArchivedAsync(db, name, archived, cancel);
        }

        return await Get(name, db, cancel);
    }

    private static async Task<NoContent> Delete(string name, LlmOsDb db, DatasetRegistry registry, CancellationToken cancel)
    {
        await registry.DeleteAsync(db, name, null, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> DeleteVersion(string name, int version, LlmOsDb db, DatasetRegistry registry, CancellationToken cancel)
    {
        await registry.DeleteAsync(db, name, version, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<Accepted<JobAccepted>> Import(string name, DatasetImportRequest request, [FromServices] DatasetImportKind kind, JobQueue queue, CancellationToken cancel)
    {
        FieldCheck.That(request.Dataset is null || request.Dataset == name, "dataset", "The path names the data set; leave 'dataset' away.");
        return Accepted(await queue.SubmitAsync(kind, request with { Dataset = name }, cancel));
    }

    private static async Task<Accepted<JobAccepted>> Upload(
        string name, HttpRequest request, LlmOsDb db, Uploads uploads, DataFolder folder, [FromServices] DatasetImportKind kind, JobQueue queue, CancellationToken cancel)
    {
        DatasetName.Check(name, "dataset"); // before the bytes are taken
        await DatasetRegistry.RequireOpenAsync(db, name, cancel);
        return Accepted(await queue.SubmitAsync(kind, await DatasetUpload.ReadAsync(request, name, db, uploads, folder, cancel), cancel));
    }

    private static async Task<Ok<Page<DatasetVersionView>>> Versions(string name, [AsParameters] NumberedPaging paging, LlmOsDb db, CancellationToken cancel)
    {
        await DatasetRegistry.FindAsync(db, name, cancel);
        return TypedResults.Ok(await DatasetRegistry.ListVersions(db, name, paging.After ?? int.MaxValue)
            .ToPageAsync(paging.Size, v => v.ToView(), v => $"{v.Number}", cancel));
    }

    private static async Task<Ok<DatasetVersionView>> Version(string name, int version, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok((await DatasetRegistry.FindAsync(db, name, version, cancel)).ToView());

    private static async Task<Ok<Page<JsonElement>>> Rows(
        string name, int version, [StringLength(64)] string? split, [AsParameters] NumberedPaging paging, LlmOsDb db, RowPages pages, CancellationToken cancel) =>
        TypedResults.Ok(await pages.PageAsync(await DatasetRegistry.FindAsync(db, name, version, cancel), split, paging.After ?? 0, paging.Size, cancel));

    private static async Task<Ok<DatasetStatistics>> Statistics(string name, int version, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok((await DatasetRegistry.FindAsync(db, name, version, cancel)).ReadStatistics());

    private static async Task<Ok<DatasetShape>> Shape(
        string name, int version, [Range(1, int.MaxValue)] int? rows, LlmOsDb db, RowPages pages, CancellationToken cancel)
    {
        var found = await DatasetRegistry.FindAsync(db, name, version, cancel);
        return TypedResults.Ok(await ShapeCheck.CheckAsync(found, pages.ReadAsync(found, null, 0, cancel).Take(rows ?? UsualCheck), cancel));
    }

    private static async Task<IResult> Download(
        string name,
        int version,
        QueryWord<DownloadFormat>? format,
        [StringLength(64)] string? split,
        HttpResponse response,
        LlmOsDb db,
        ArtifactStore store,
        RowPages pages,
        CancellationToken cancel)
    {
        var found = await DatasetRegistry.FindAsync(db, name, version, cancel);
        var files = RowPages.FilesOf(found, split);
        var file = $"{name}-{version}{(split is null ? "" : $"-{split}")}";
        response.Headers.XContentTypeOptions = "nosniff";
        switch (format?.Value ?? DownloadFormat.Jsonl)
        {
            case DownloadFormat.Parquet:
                return files is [var only]
                    ? StoredFile.Answer(store, only.Sha256, $"{file}.parquet", response)
                    : throw LlmOsException.Invalid("split", $"split: Parquet is one file a split; name one of {string.Join(", ", files.Select(f => f.Split))}.");
            case DownloadFormat.Csv:
                return TypedResults.Stream(to => pages.WriteCsvAsync(found, split, to, cancel), "text/csv", $"{file}.csv");
            default:
                return TypedResults.Stream(to => pages.WriteJsonLinesAsync(found, split, to, cancel), "application/jsonl", $"{file}.jsonl");
        }
    }

    private static Accepted<JobAccepted> Accepted(JobView job) => TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
}

/// <summary>How rows are written for a download.</summary>
internal enum DownloadFormat
{
    Jsonl,
    Csv,
    Parquet,
}
