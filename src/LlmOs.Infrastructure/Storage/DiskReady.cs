using LlmOs.Infrastructure.Http;

namespace LlmOs.Infrastructure.Storage;

/// <summary>There is room for the database and for small files; without, work is not taken.</summary>
internal sealed class DiskReady(DataFolder folder) : IReadinessCheck
{
    private const long MinFreeBytes = 8 << 20;

    public Task<string?> WhyNotAsync(CancellationToken cancel) =>
        Task.FromResult(DiskSpace.Free(folder) < MinFreeBytes ? "the disk of the data folder is full" : null);
}
