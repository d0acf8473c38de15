using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Import.Sources;

/// <summary>A finished upload: <c>upload:{id}</c>.</summary>
internal sealed class UploadSource(Uploads uploads, ArtifactStore store)
{
    private const string Scheme = "upload:";

    public static bool Is(string source) => source.StartsWith(Scheme, StringComparison.Ordinal);

    /// <exception cref="LlmOsException">There is no such upload, or it is not whole.</exception>
    public Task<Upload> CheckAsync(LlmOsDb db, string source, CancellationToken cancel) => uploads.RequireFinishedAsync(db, source[Scheme.Length..], "source", cancel);

    /// <summary>The upload's blob under a name that ends as the file's own did, which tells its kind.</summary>
    public async Task<FetchedSource> FetchAsync(LlmOsDb db, string source, JobContext job, CancellationToken cancel)
    {
        var upload = await CheckAsync(db, source, cancel);
        return await store.KeepAsync(upload.Sha256!, cancel)
            ? new FetchedSource(Named(upload, job.ScratchFolder), IsOurs: false, $"{Scheme}{upload.FileName}#sha256={upload.Sha256}")
            : throw new LlmOsException(ErrorCode.MissingFile, "The uploaded file is no longer stored.") { Field = "source" };
    }

    private string Named(Upload upload, string scratch)
    {
        var end = Path.GetExtension(upload.FileName);
        var link = Path.Combine(scratch, "upload" + (end.All(c => char.IsAsciiLetterOrDigit(c) || c == '.') ? end : ""));
        File.Delete(link);
        File.CreateSymbolicLink(link, store.PathOf(upload.Sha256!));
        return link;
    }
}
