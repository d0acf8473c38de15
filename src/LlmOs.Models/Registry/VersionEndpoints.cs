using System.Formats.Tar;
using System.Globalization;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Bundles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary><c>/api/v1/models/{name}/versions</c>.</summary>
internal static class VersionEndpoints
{
    public static void MapVersions(this ModelPaths model)
    {
        const string One = "/versions/{version:int}";
        model.Map("GET", "/versions", Versions, "ListModelVersions", "Lists a model's versions, the newest first.").ProducesProblem(404);
        model.Map("GET", One, Version, "GetModelVersion", "Shows a version: files, parity, lineage, metrics, tags.").ProducesProblem(404);
        model.Map("PATCH", One, Patch, "ChangeModelVersion", "Changes a version's tags, or takes it out of use or back.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithRequestExample("""{"tags":{"stage":"candidate"},"archived":false}""");
        model.Map("DELETE", One, Delete, "DeleteModelVersion", "Deletes a version, unless something refers to it.").ProducesProblem(404).ProducesProblem(409);
        model.Map("GET", One + "/lineage", LineageOf, "GetModelLineage", "What a version was made from, by and with, and what was made of it, as a graph.").ProducesProblem(404);
        model.Map("GET", One + "/files/{**path}", File, "GetModelFile", "One file of a version; ranges are honoured.")
            .Produces(200, contentType: "application/octet-stream").ProducesProblem(404);
        model.Map("GET", One + "/download", Download, "DownloadModelVersion", "The version as a tar in its published layout.")
            .Produces(200, contentType: "application/x-tar").ProducesProblem(404);
        model.Map("GET", One + "/export", Export, "ExportModelVersion", "The version with its card, tags and lineage as one file, for a machine without a network; import it with source file: or upload:.")
            .Produces(200, contentType: "application/octet-stream").ProducesProblem(404);
        model.Map("POST", One + "/copy", Copy, "CopyModelVersion", "Makes a version of this one under a name, with other texts beside the same weights.")
            .Produces<ModelJobResult>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithRequestExample("""{"name":"my-copy","alias":"latest","files":{"LICENSE":"MIT License"}}""");
    }

    private static async Task<Ok<Page<ModelVersionView>>> Versions(string name, [AsParameters] Paging paging, LlmOsDb db, CancellationToken cancel)
    {
        await ModelSearch.FindAsync(db, name, cancel);
        var before = paging.After is null ? int.MaxValue : int.TryParse(paging.After, CultureInfo.InvariantCulture, out var number) ? number : throw paging.UnknownCursor("version");
        return TypedResults.Ok(await Whole(db).Where(v => v.Model.Name == name && v.Number < before).OrderByDescending(v => v.Number)
            .ToPageAsync(paging.Size, v => v.ToView(), v => $"{v.Number}", cancel));
    }

    private static async Task<Ok<ModelVersionView>> Version(string name, int version, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok((await FindAsync(name, version, db, cancel)).ToView());

    private static async Task<Ok<ModelVersionView>> Patch(string name, int version, ModelVersionPatch request, LlmOsDb db, ModelArchive archive, CancellationToken cancel)
    {
        await ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            if (request.Tags is { } changes)
            {
                var tagged = await db.ModelVersions.Include(v => v.Tags).SingleOrDefaultAsync(v => v.ModelId == model.Id && v.Number == version, cancel)
                    ?? throw await ModelRegistry.NoVersionAsync(db, name, version, cancel);
                ModelTags.Merge(tagged.Tags, changes, t => t.Key, (t, value) => t.Value = value, (key, value) => new ModelVersionTag { Key = key, Value = value });
                await db.SaveChangesAsync(cancel);
            }

            return request.Archived is { } archived && await archive.SetArchivedAsync(db, name, version, archived, cancel);
        }, cancel);
        return await Version(name, version, db, cancel);
    }

    private static async Task<NoContent> Delete(string name, int version, LlmOsDb db, ModelArchive archive, CancellationToken cancel)
    {
        await archive.DeleteAsync(db, name, version, cancel);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<LineageGraph>> LineageOf(string name, int version, LlmOsDb db, CancellationToken cancel) =>
        TypedResults.Ok(await Lineage.OfAsync(db, await FindAsync(name, version, db, cancel), cancel));

    private static async Task<PhysicalFileHttpResult> File(string name, int version, string path, HttpResponse response, LlmOsDb db, ArtifactStore store, CancellationToken cancel)
    {
        var found = await FindAsync(name, version, db, cancel);
        var file = found.FindFile(ModelName.FromPath(path))
            ?? throw new LlmOsException(ErrorCode.NotFound, $"{found.Ref} has no file '{ModelName.Shorten(path)}'.") { Hint = $"GET /api/v1/models/{name}/versions/{version} lists its files." };
        return store.Contains(file.Sha256) ? StoredFile.Answer(store, file.Sha256, Path.GetFileName(file.Path), response) : throw Absent(found, file);
    }

    private static async Task<PushStreamHttpResult> Download(string name, int version, LlmOsDb db, ArtifactStore store, CancellationToken cancel)
    {
        var found = await FindWholeAsync(name, version, db, store, cancel);
        return TypedResults.Stream(body => WriteTarAsync(found, store, body, cancel), "application/x-tar", FileName(found, "tar"));
    }

    private static async Task<PushStreamHttpResult> Export(string name, int version, LlmOsDb db, ArtifactStore store, CancellationToken cancel)
    {
        var found = await FindWholeAsync(name, version, db, store, cancel);
        var card = await db.Models.Where(m => m.Id == found.ModelId).Select(m => m.Card).SingleAsync(cancel);
        var graph = await Lineage.OfAsync(db, found, cancel);
        return TypedResults.Stream(body => BundleWriter.WriteAsync(BundleManifest.Of(found, card, graph), store, body, cancel), "application/octet-stream", FileName(found, BundleManifest.Extension));
    }

    private static async Task<Created<ModelJobResult>> Copy(string name, int version, CopyRequest request, LlmOsDb db, ModelCopies copies, CancellationToken cancel)
    {
        var copy = await copies.CopyAsync(db, await FindAsync(name, version, db, cancel), request, cancel);
        return TypedResults.Created($"/api/v1/models/{Uri.EscapeDataString(copy.Model)}/versions/{copy.Version}", copy);
    }

    private static IQueryable<ModelVersion> Whole(LlmOsDb db) =>
        db.ModelVersions.AsNoTracking().Include(v => v.Model).Include(v => v.Files).Include(v => v.Tags).AsSplitQuery();

    /// <exception cref="LlmOsException">404: there is no such model or version.</exception>
    internal static async Task<ModelVersion> FindAsync(string name, int number, LlmOsDb db, CancellationToken cancel) =>
        await Whole(db).SingleOrDefaultAsync(v => v.Model.Name == name && v.Number == number, cancel) ?? throw await ModelRegistry.NoVersionAsync(db, name, number, cancel);

    /// <summary>A version of which every file is there, so that an answer that has begun can be finished.</summary>
    private static async Task<ModelVersion> FindWholeAsync(string name, int number, LlmOsDb db, ArtifactStore store, CancellationToken cancel)
    {
        var found = await FindAsync(name, number, db, cancel);
        return found.Files.Find(f => !store.Contains(f.Sha256)) is { } absent ? throw Absent(found, absent) : found;
    }

    private static LlmOsException Absent(ModelVersion version, ModelFile file) =>
        new(ErrorCode.MissingFile, $"The store lacks {file.Path} of {version.Ref}.") { Hint = "Import the model again." };

    private static string FileName(ModelVersion version, string extension) => $"{version.Model.Name.Replace('/', '_').Replace(':', '_')}-{version.Number}.{extension}";

    /// <summary>Streams the files one after another; the same version always gives the same bytes.</summary>
    private static async Task WriteTarAsync(ModelVersion version, ArtifactStore store, Stream body, CancellationToken cancel)
    {
        await using var tar = new TarWriter(body, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var file in version.Files.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            await using var content = new FileStream(store.PathOf(file.Sha256), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
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
