using LlmOs.Contracts;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// Sets aside blobs that no column names, and brings back those that one names again. A database that is not the folder's, or
/// an older one, knows little of what lies there: where it would take away most files at once, nothing is taken.
/// </summary>
internal sealed class UnusedBlobs(ArtifactStore store, IOptions<CollectorOptions> options) : ICollectable
{
    /// <summary>In a small store the deletion of one model is a large share; the quarantine is enough there.</summary>
    internal const int FilesWithoutShare = 32;

    public string What => "blobs";

    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var blobs = store.Blobs().ToList();
        var old = blobs.Where(blob => blob.LastWriteTimeUtc < round.Before.UtcDateTime).ToList();
        var aside = store.SetAside().ToList();
        var used = old.Count + aside.Count == 0 ? [] : await BlobColumns.ReadAsync(round.Db, cancel);
        foreach (var blob in aside.Where(blob => used.Contains(blob.Name) && !round.DryRun))
        {
            await store.KeepAsync(blob.Name, cancel);
        }

        var unused = old.Where(blob => !used.Contains(blob.Name)).ToList();
        if (unused.Count > FilesWithoutShare && unused.Count > options.Value.MaxShare * blobs.Count && !round.Force)
        {
            return new CollectedView(What, 0, 0)
            {
                SetAside = true,
                Stopped = $"The database refers to none of {unused.Count} of the {blobs.Count} stored files, which is more than the share of {options.Value.MaxShare} that may go at once (Collector:MaxShare). "
                    + "If this is the right database, POST /api/v1/artifacts/collect?force=true takes them.",
            };
        }

        var (files, bytes) = (0, 0L);
        foreach (var blob in unused)
        {
            var size = blob.Length;
            if (round.DryRun || await store.SetAsideAsync(blob.Name, round.Before, cancel))
            {
                (files, bytes) = (files + 1, bytes + size);
            }
        }

        return new CollectedView(What, files, bytes) { SetAside = true };
    }
}

/// <summary>Deletes for good what was set aside long ago.</summary>
internal sealed class Quarantine(ArtifactStore store, IOptions<CollectorOptions> options) : ICollectable
{
    public string What => "quarantine";

    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var before = round.Purge ? DateTimeOffset.MaxValue : round.Now - TimeSpan.FromHours(options.Value.QuarantineHours);
        var old = store.SetAside().Where(blob => blob.LastWriteTimeUtc <= before.UtcDateTime).ToList();
        var used = old.Count == 0 ? [] : await BlobColumns.ReadAsync(round.Db, cancel);
        var (files, bytes) = (0, 0L);
        foreach (var blob in old.Where(blob => !used.Contains(blob.Name)))
        {
            var size = blob.Length;
            if (round.DryRun || await store.DeleteSetAsideAsync(blob.Name, before, cancel))
            {
                (files, bytes) = (files + 1, bytes + size);
            }
        }

        return new CollectedView(What, files, bytes);
    }
}
