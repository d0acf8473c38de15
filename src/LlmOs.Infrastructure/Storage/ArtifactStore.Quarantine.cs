namespace LlmOs.Infrastructure.Storage;

/// <summary>What the collector took out of use and does not delete yet: a database that forgot a blob by mistake gets it back.</summary>
public sealed partial class ArtifactStore
{
    /// <summary>
    /// Marks a blob as about to be used again, so that the collector leaves it for the grace period, and takes it out of the
    /// quarantine; false when it is in neither place.
    /// </summary>
    public async Task<bool> KeepAsync(string sha256, CancellationToken cancel)
    {
        var path = PathOf(sha256);
        using (await _gate.EnterAsync(cancel))
        {
            if (!File.Exists(path) && !TakeBack(sha256, path))
            {
                return false;
            }

            Touch(path);
            return true;
        }
    }

    /// <summary>Where a blob lies that may have been set aside; null when it is in neither place.</summary>
    public string? FindAnywhere(string sha256) =>
        Contains(sha256) ? PathOf(sha256) : File.Exists(AsidePathOf(sha256)) ? AsidePathOf(sha256) : null;

    /// <summary>Blobs in the quarantine; their time of change says since when.</summary>
    internal IEnumerable<FileInfo> SetAside() => new DirectoryInfo(folder.Quarantine).EnumerateFiles().Where(file => IsHash(file.Name));

    /// <summary>Moves a blob that nothing refers to into the quarantine, unless it was put or kept since; says whether it did.</summary>
    internal async Task<bool> SetAsideAsync(string sha256, DateTimeOffset before, CancellationToken cancel)
    {
        using (await _gate.EnterAsync(cancel))
        {
            var blob = new FileInfo(PathOf(sha256));
            if (!blob.Exists || blob.LastWriteTimeUtc >= before.UtcDateTime)
            {
                return false;
            }

            // The time first: at no moment does it seem to have been there for long.
            Touch(blob.FullName);
            File.Move(blob.FullName, AsidePathOf(sha256), overwrite: true);
            return true;
        }
    }

    /// <summary>Deletes a blob of the quarantine for good, unless it came later; says whether it did.</summary>
    internal async Task<bool> DeleteSetAsideAsync(string sha256, DateTimeOffset before, CancellationToken cancel)
    {
        using (await _gate.EnterAsync(cancel))
        {
            var blob = new FileInfo(AsidePathOf(sha256));
            if (!blob.Exists || blob.LastWriteTimeUtc > before.UtcDateTime)
            {
                return false;
            }

            blob.Delete();
            return true;
        }
    }

    private bool TakeBack(string sha256, string path)
    {
        if (!File.Exists(AsidePathOf(sha256)))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(AsidePathOf(sha256), path);
        FolderNames.Flush(Path.GetDirectoryName(path)!);
        return true;
    }

    private string AsidePathOf(string sha256) => Path.Combine(folder.Quarantine, Path.GetFileName(PathOf(sha256)));
}
