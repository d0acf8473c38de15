using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Pull;

namespace LlmOs.Models.Import.Sources;

/// <summary>A file on this machine.</summary>
/// <param name="Name">As its source calls it; it says what kind of file it is, and never becomes a path.</param>
public sealed record SourceFile(string Path, string Name);

/// <summary>What a source brought.</summary>
/// <param name="Origin">For the lineage; null for a path of this machine, which is not shown to others.</param>
public sealed record SourceFiles(IReadOnlyList<SourceFile> Files, string? Origin);

/// <summary>Brings files that are no model onto this machine: <c>file:</c>, <c>upload:</c>, <c>https:</c>, and <c>hf:</c> for data sets of the hub.</summary>
public sealed class SourceDoor
{
    private readonly LlmOsSettings _settings;
    private readonly UploadSource _uploads;
    private readonly HubClient _hub;
    private readonly HubPull _pull;
    private readonly WebSource _web;

    internal SourceDoor(LlmOsSettings settings, UploadSource uploads, HubClient hub, HubPull pull, WebSource web) =>
        (_settings, _uploads, _hub, _pull, _web) = (settings, uploads, hub, pull, web);

    /// <summary>Refuses what can be seen at once to be missing or not allowed.</summary>
    /// <returns>The file's name, where it is known already.</returns>
    public async Task<string?> CheckAsync(LlmOsDb db, string source, CancellationToken cancel)
    {
        if (source.StartsWith(HubReference.Scheme, StringComparison.Ordinal))
        {
            HubReference.Parse(source);
            _hub.Check();
            return null;
        }

        if (WebSource.Is(source))
        {
            _web.Check(source);
            return null;
        }

        return UploadSource.Is(source)
            ? (await _uploads.CheckAsync(db, source, cancel)).FileName
            : Path.GetFileName(ImportSource.ResolveFile(source, "source", _settings.ImportDirs));
    }

    /// <param name="choose">Picks among the paths of a repository; a file that the source names is the only one.</param>
    public async Task<SourceFiles> FetchAsync(
        LlmOsDb db, string source, Func<IReadOnlyList<string>, IReadOnlyList<string>> choose, JobContext job, CancellationToken cancel)
    {
        if (source.StartsWith(HubReference.Scheme, StringComparison.Ordinal))
        {
            var reference = HubReference.Parse(source) with { IsDataset = true };
            return await _pull.FetchFilesAsync(reference, paths => choose(reference.File is { } one ? Below(one, paths) : paths), job, cancel);
        }

        if (WebSource.Is(source))
        {
            var fetched = await _web.FetchAsync(source, job, cancel);
            return new SourceFiles([new SourceFile(fetched.Path, Path.GetFileName(fetched.Path))], fetched.Origin);
        }

        if (UploadSource.Is(source))
        {
            var name = (await _uploads.CheckAsync(db, source, cancel)).FileName;
            var fetched = await _uploads.FetchAsync(db, source, job, cancel);
            return new SourceFiles([new SourceFile(fetched.Path, name)], fetched.Origin);
        }

        var path = ImportSource.ResolveFile(source, "source", _settings.ImportDirs);
        return new SourceFiles([new SourceFile(path, Path.GetFileName(path))], Origin: null);
    }

    /// <summary>The file of that path, or the files of that folder.</summary>
    private static List<string> Below(string path, IReadOnlyList<string> paths) =>
        [.. paths.Where(p => p == path || p.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal))];
}
