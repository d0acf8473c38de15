using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Sources;

namespace LlmOs.Models.Import.Pull;

/// <summary>
/// Fetches a model from the hub into the job's folder. The revision is resolved to a commit once and kept with the job, so
/// that a later attempt goes on with the same files; what is stored already is not fetched.
/// </summary>
internal sealed class HubPull(HubClient hub, Downloader downloader, ArtifactStore store, DataFolder folder, TimeProvider clock)
{
    private const string CommitFile = "commit";

    public async Task<FetchedSource> FetchAsync(HubReference reference, string? precision, JobContext job, CancellationToken cancel)
    {
        job.Report(0, ImportCodes.AskingHub.With(("repository", reference.Repository)));
        var root = Directory.CreateDirectory(Path.Combine(job.CheckpointFolder, "pull")).FullName;
        var commit = await CommitAsync(reference, root, cancel);
        var plan = PullPlan.Of(await hub.ListAsync(reference, commit, cancel), reference.File);
        var files = Path.Combine(root, "files");
        var progress = new PullProgress(job, clock, plan.Bytes);

        DiskSpace.Require(folder, plan.Bytes - Here(plan, files), "The download");
        await FetchAllAsync(reference, commit, plan.Texts, files, progress, cancel);

        // The configuration has arrived; it says how the weights are stored.
        var needs = PullNeeds.Of(plan.Weights.Sum(f => f.Bytes), StoredType(Path.Combine(files, ModelFolder.ConfigFile)), precision);
        needs.RequireMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        DiskSpace.Require(folder, plan.Bytes - Here(plan, files) + needs.Disk, "The model");
        await FetchAllAsync(reference, commit, plan.Weights, files, progress, cancel);
        return new FetchedSource(plan.Single is { } single ? Path.Combine(files, single) : files, IsOurs: true, reference.At(commit));
    }

    /// <summary>Fetches files of a repository that is no model.</summary>
    /// <param name="choose">Picks among the paths that there are.</param>
    public async Task<SourceFiles> FetchFilesAsync(
        HubReference reference, Func<IReadOnlyList<string>, IReadOnlyList<string>> choose, JobContext job, CancellationToken cancel)
    {
        job.Report(0, ImportCodes.AskingHub.With(("repository", reference.Repository)));
        var root = Directory.CreateDirectory(Path.Combine(job.CheckpointFolder, "pull")).FullName;
        var commit = await CommitAsync(reference, root, cancel);
        var listed = (await hub.ListAsync(reference, commit, cancel)).Where(f => PullPlan.IsPlain(f.Path)).ToDictionary(f => f.Path, StringComparer.Ordinal);
        var chosen = choose([.. listed.Keys]).Select(path => listed[path]).ToList();
        var target = Path.Combine(root, "files");
        var bytes = chosen.Sum(f => f.Bytes);
        DiskSpace.Require(folder, bytes - Here(chosen, target), "The download");
        await FetchAllAsync(reference, commit, chosen, target, new PullProgress(job, clock, bytes), cancel);
        return new SourceFiles([.. chosen.Select(f => new SourceFile(Path.Combine(target, f.Path), f.Path))], reference.At(commit));
    }

    private async Task<string> CommitAsync(HubReference reference, string root, CancellationToken cancel)
    {
        var kept = Path.Combine(root, CommitFile);
        if (File.Exists(kept))
        {
            return await File.ReadAllTextAsync(kept, cancel);
        }

        var commit = await hub.ResolveAsync(reference, cancel);
        await File.WriteAllTextAsync(kept + ".new", commit, cancel);
        File.Move(kept + ".new", kept, overwrite: true);
        return commit;
    }

    private async Task FetchAllAsync(HubReference reference, string commit, IReadOnlyList<HubFile> files, string target, PullProgress progress, CancellationToken cancel)
    {
        foreach (var file in files)
        {
            var at = Path.Combine(target, file.Path);
            progress.Begin(file.Path);
            if (!File.Exists(at) && file.Sha256 is { } sha256 && await store.KeepAsync(sha256, cancel) && new FileInfo(store.PathOf(sha256)).Length == file.Bytes)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(at)!);
                File.Delete(at); // a link whose blob went away
                File.CreateSymbolicLink(at, store.PathOf(sha256));
            }

            await downloader.FetchAsync(hub.DownloadOf(reference, commit, file, at), progress.Received, cancel);
            progress.End();
        }
    }

    /// <summary>Bytes of the plan that an earlier attempt has fetched.</summary>
    private static long Here(PullPlan plan, string files) => Here(plan.Texts.Concat(plan.Weights), files);

    private static long Here(IEnumerable<HubFile> wanted, string files) => wanted.Sum(f =>
    {
        var (whole, part) = (new FileInfo(Path.Combine(files, f.Path)), new FileInfo(Path.Combine(files, f.Path + ".part")));
        return whole.Exists ? f.Bytes : part.Exists ? part.Length : 0;
    });

    private static string? StoredType(string config)
    {
        try
        {
            var root = PublishedJson.Parse(File.ReadAllBytes(config), ModelFolder.ConfigFile);
            return root.ValueKind == JsonValueKind.Object && (root.TryGetProperty("dtype", out var type) || root.TryGetProperty("torch_dtype", out type)) && type.ValueKind == JsonValueKind.String
                ? type.GetString()
                : null;
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException or ModelFormatException)
        {
            return null; // the import says what is wrong with it
        }
    }
}
