using System.ComponentModel.DataAnnotations;
using System.Formats.Tar;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>
/// <c>/api/v1/models</c>. A name with a slash arrives as <c>%2F</c>, in one part of the path, or as itself, in two;
/// the second form has routes of its own, which the documentation leaves out.
/// </summary>
internal static class RegistryEndpoints
{
    public static void MapRegistry(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/v1/models").WithTags("Models");
        models.MapPost("/import", Import).WithName("ImportModel").WithSummary("Imports a published model as a new version; answers with the job that does it.")
            .Produces<JobAccepted>(202).ProducesProblem(400).ProducesProblem(403)
            .WithRequestExample("""{"source":"file:/home/me/.llmos/import/my-model","name":"my-model","precision":"f32","alias":"latest"}""");
        models.MapGet("/", List).WithName("ListModels").WithSummary("Lists models by name; search finds those whose name holds the text.").ProducesProblem(400);

        models.MapGet("/{name}", Get).WithName("GetModel").WithSummary("Shows a model with its aliases and versions.").ProducesProblem(404);
        models.MapGet("/{name}/versions", Versions).WithName("ListModelVersions").WithSummary("Lists a model's versions, the newest first.").ProducesProblem(404);
        models.MapGet("/{name}/versions/{version:int}", Version).WithName("GetModelVersion").WithSummary("Shows a version: files, parity, lineage, metrics.").ProducesProblem(404);
        models.MapGet("/{name}/versions/{version:int}/download", Download).WithName("DownloadModelVersion")
            .WithSummary("The version as a tar in its published layout.").Produces(200, contentType: "application/x-tar").ProducesProblem(404);
        models.MapPut("/{name}/aliases/{alias}", SetAlias).WithName("SetModelAlias").WithSummary("Points an alias at a version; with expected only if it points there now.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithRequestExample("""{"version":3,"expected":2}""");

        var whole = models.MapGroup("/{org}").ExcludeFromDescription();
        whole.MapGet("/{name}", (string org, string name, LlmOsDb db, CancellationToken cancel) => Get($"{org}/{name}", db, cancel));
        whole.MapGet("/{name}/versions", ([StringLength(64)] string? after, [Range(1, 500)] int? limit, string org, string name, LlmOsDb db, CancellationToken cancel) =>
            Versions($"{org}/{name}", after, limit, db, cancel));
        whole.MapGet("/{name}/versions/{version:int}", (string org, string name, int version, LlmOsDb db, CancellationToken cancel) =>
            Version($"{org}/{name}", version, db, cancel));
        whole.MapGet("/{name}/versions/{version:int}/download", (string org, string name, int version, LlmOsDb db, ArtifactStore store, CancellationToken cancel) =>
            Download($"{org}/{name}", version, db, store, cancel));
        whole.MapPut("/{name}/aliases/{alias}", (string org, string name, string alias, AliasRequest request, LlmOsDb db, ModelRegistry registry, CancellationToken cancel) =>
            SetAlias($"{org}/{name}", alias, request, db, registry, cancel));
    }

    private static async Task<Accepted<JobAccepted>> Import(ImportRequest request, LlmOsSettings settings, JobQueue jobs, CancellationToken cancel)
    {
        ModelImporter.Check(request, settings);
        var job = await jobs.SubmitAsync(ModelImporter.JobKind, request, cancel);
        return TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
    }

    private static async Task<Ok<Page<ModelView>>> List(
        [StringLength(256)] string? search,
        [Range(1, 500)] int? limit,
        [StringLength(256)] string? after,
        LlmOsDb db,
        CancellationToken cancel)
    {
        var models = db.Models.AsNoTracking();
        if (search is not null)
        {
            var part = search.ToLowerInvariant(); // names have no capitals
            models = models.Where(m => m.Name.Contains(part));
        }

        if (after is not null)
        {
            models = models.Where(m => m.Name.CompareTo(after) > 0);
        }

        var size = limit ?? 50;
        var rows = await ViewsAsync(models.OrderBy(m => m.Name).Take(size + 1), cancel);
        var page = rows.Take(size).ToList();
        return TypedResults.Ok(new Page<ModelView>(page, rows.Count > size ? page[^1].Name : null));
    }

    private static async Task<Ok<ModelView>> Get(string name, LlmOsDb db, CancellationToken cancel)
    {
        name = ModelName.FromPath(name);
        var views = await ViewsAsync(db.Models.AsNoTracking().Where(m => m.Name == name), cancel);
        return TypedResults.Ok(views.Count == 1 ? views[0] : throw ModelRegistry.NoModel(name));
    }

    private static async Task<Ok<Page<ModelVersionView>>> Versions(
        string name, [StringLength(64)] string? after, [Range(1, 500)] int? limit, LlmOsDb db, CancellationToken cancel)
    {
        name = ModelName.FromPath(name);
        if (!await db.Models.AnyAsync(m => m.Name == name, cancel))
        {
            throw ModelRegistry.NoModel(name);
        }

        var before = after is null ? int.MaxValue
            : int.TryParse(after, out var number) ? number
            : throw LlmOsException.Invalid("after", $"'{ModelName.Shorten(after)}' is not a version's number; send the next of the page before.");
        var size = limit ?? 50;
        var rows = await db.ModelVersions.AsNoTracking().Include(v => v.Model).Include(v => v.Files).Include(v => v.Tags)
            .Where(v => v.Model.Name == name && v.Number < before)
            .OrderByDescending(v => v.Number).Take(size + 1).ToListAsync(cancel);
        var page = rows.Take(size).Select(v => v.ToView()).ToList();
        return TypedResults.Ok(new Page<ModelVersionView>(page, rows.Count > size ? $"{page[^1].Version}" : null));
    }

    private static async Task<Ok<ModelVersionView>> Version(string name, int version, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok((await FindAsync(name, version, db, cancel)).ToView());

    private static async Task<PushStreamHttpResult> Download(string name, int version, LlmOsDb db, ArtifactStore store, CancellationToken cancel)
    {
        var found = await FindAsync(name, version, db, cancel);
        if (found.Files.Find(f => !store.Contains(f.Sha256)) is { } absent)
        {
            throw new LlmOsException(ErrorCode.MissingFile, $"The store lacks {absent.Path} of {found.Ref}.") { Hint = "Import the model again." };
        }

        return TypedResults.Stream(body => WriteTarAsync(found, store, body, cancel), "application/x-tar", $"{found.Model.Name.Replace('/', '_')}-{found.Number}.tar");
    }

    private static async Task<Ok<AliasView>> SetAlias(string name, string alias, AliasRequest request, LlmOsDb db, ModelRegistry registry, CancellationToken cancel) =>
        TypedResults.Ok(await registry.SetAliasAsync(db, ModelName.FromPath(name), alias, request, cancel));

    internal static async Task<ModelVersion> FindAsync(string name, int number, LlmOsDb db, CancellationToken cancel)
    {
        name = ModelName.FromPath(name);
        return await db.ModelVersions.AsNoTracking().Include(v => v.Model).Include(v => v.Files).Include(v => v.Tags)
            .SingleOrDefaultAsync(v => v.Model.Name == name && v.Number == number, cancel) ?? throw await ModelRegistry.NoVersionAsync(db, name, number, cancel);
    }

    private static async Task<List<ModelView>> ViewsAsync(IQueryable<RegisteredModel> models, CancellationToken cancel)
    {
        var rows = await models
            .Select(m => new
            {
                m.Name,
                Aliases = m.Aliases.OrderBy(a => a.Name).Select(a => new { a.Name, a.Version }).ToList(),
                Versions = m.Versions.OrderBy(v => v.Number).Select(v => new { v.Number, v.Task }).ToList(),
                m.CreatedAt,
            })
            .AsSplitQuery()
            .ToListAsync(cancel);
        return [.. rows.Select(m => new ModelView(
            m.Name,
            m.Aliases.ToDictionary(a => a.Name, a => a.Version),
            [.. m.Versions.Select(v => v.Number)],
            m.Versions.LastOrDefault()?.Task,
            m.CreatedAt))];
    }

    /// <summary>Streams the files one after another; the same version always gives the same bytes.</summary>
    private static async Task WriteTarAsync(ModelVersion version, ArtifactStore store, Stream body, CancellationToken cancel)
    {
        await using var tar = new TarWriter(body, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var file in version.Files.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            await using var content = new FileStream(store.PathOf(file.Sha256), FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
            await tar.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.RegularFile, file.Path)
                {
                    ModificationTime = version.CreatedAt,
                    Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                    DataStream = content,
                },
                cancel);
        }
    }
}
