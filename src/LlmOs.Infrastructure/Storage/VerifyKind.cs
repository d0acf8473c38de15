using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// The job <c>verify</c>: hashes every stored file again, and names those whose content is no longer what it was and those that
/// the database refers to and the store lacks. A store that was restored and is whole may be collected again.
/// </summary>
internal sealed class VerifyKind(ArtifactStore store, TimeProvider clock) : JobKind<VerifyRequest>
{
    private static readonly JobCode Verifying = new("verifying", "checking stored file {file} of {files}");

    private static readonly JobCode Damaged = new("blob_damaged", "The stored file {sha256} has changed. Import again what it belongs to.");

    public override string Word => "verify";

    protected override async Task<JobPublish> RunAsync(JobContext job, VerifyRequest request, CancellationToken cancel)
    {
        var blobs = store.Blobs().OrderBy(blob => blob.Name, StringComparer.Ordinal).ToList();
        var (checkedBlobs, bytes) = (0, 0L);
        List<string> damaged = [];
        foreach (var (index, blob) in blobs.Index())
        {
            job.Report((double)index / blobs.Count, Verifying.With(("file", index + 1), ("files", blobs.Count)));
            var began = clock.GetTimestamp();
            try
            {
                await store.VerifyAsync(blob.Name, cancel);
                (checkedBlobs, bytes) = (checkedBlobs + 1, bytes + blob.Length);
            }
            catch (LlmOsException e) when (e.Code == ErrorCode.HashMismatch)
            {
                (checkedBlobs, bytes) = (checkedBlobs + 1, bytes + blob.Length);
                damaged.Add(blob.Name);
                job.Log(JobLogLevel.Error, Damaged.With(("sha256", blob.Name)));
            }
            catch (Exception e) when (e is LlmOsException { Code: ErrorCode.MissingFile } or FileNotFoundException)
            {
                continue; // collected since it was listed
            }

            // It rests as long as it read: whoever needs the disk now comes first.
            await Task.Delay(clock.GetElapsedTime(began), clock, cancel);
        }

        return async (db, token) =>
        {
            var used = await BlobColumns.ReadAsync(db, token);
            List<string> missing = [.. used.Where(sha256 => ArtifactStore.IsHash(sha256) && store.FindAnywhere(sha256) is null).Order(StringComparer.Ordinal)];
            if (damaged.Count + missing.Count == 0)
            {
                await db.Stores.ExecuteUpdateAsync(set => set.SetProperty(s => s.UnverifiedSince, (DateTimeOffset?)null), token);
            }

            return new VerifyReport(checkedBlobs, bytes, damaged) { Missing = missing };
        };
    }
}
