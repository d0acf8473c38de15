using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Files;

/// <summary>Files whose time is over, and files in parts that nobody completed. Their blobs go with the next collection.</summary>
internal sealed class OldFiles : ICollectable
{
    public string What => "files";

    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var now = round.Now;
        var expired = round.Db.Files.Where(f => f.ExpiresAt != null && f.ExpiresAt <= now);
        var ended = round.Db.PartedFiles.Where(p => p.ExpiresAt <= now);
        var parts = round.Db.FileParts.Where(p => ended.Any(e => e.Id == p.UploadId));
        var files = await expired.CountAsync(cancel) + await parts.CountAsync(cancel);
        if (!round.DryRun)
        {
            await expired.ExecuteDeleteAsync(cancel);
            await parts.ExecuteDeleteAsync(cancel);
            await ended.ExecuteDeleteAsync(cancel);
        }

        // The bytes are counted where they become free.
        return new CollectedView(What, files, 0) { SetAside = true };
    }
}
