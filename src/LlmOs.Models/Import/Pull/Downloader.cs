using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Network;
using LlmOs.Infrastructure.Storage;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Import.Pull;

/// <summary>A file to fetch.</summary>
/// <param name="Target">Where it shall lie once it is whole and checked.</param>
/// <param name="Name">What to call it in messages.</param>
internal sealed record Download(Uri Uri, string Target, string Name)
{
    /// <summary>Its length, where it is known before.</summary>
    public long? Bytes { get; init; }

    public string? Sha256 { get; init; }

    /// <summary>SHA-1 of git's blob, for files whose SHA-256 nobody states.</summary>
    public string? GitHash { get; init; }

    /// <summary>No more is read of a file whose length nobody states.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Makes the request for an address.</summary>
    public Func<Uri, HttpRequestMessage> Make { get; init; } = uri => new HttpRequestMessage(HttpMethod.Get, uri);

    /// <summary>What an answer other than success means.</summary>
    public Func<HttpResponseMessage, LlmOsException> Refuse { get; init; } = response => response.StatusCode switch
    {
        HttpStatusCode.NotFound or HttpStatusCode.Gone => new LlmOsException(ErrorCode.MissingFile, "There is nothing at that address.") { Field = "source" },
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new LlmOsException(ErrorCode.NotAllowed, "The host does not give the file to this server.") { Field = "source" },
        var status => new LlmOsException(ErrorCode.Unavailable, $"The host answers {(int)status}."),
    };
}

/// <summary>
/// Fetches files. What has arrived lies in <c>{target}.part</c>, also when the process is killed; the next try goes on from
/// there by range, so no byte is fetched twice, unless the host cannot or the file has changed. A file gets its name only
/// once its length and hash are right.
/// </summary>
internal sealed class Downloader(Egress egress, Retries retries, IOptions<PullOptions> options, TimeProvider clock)
{
    private const int BufferBytes = 256 << 10;

    /// <param name="received">Told the file's bytes that are here, now and then.</param>
    public async Task FetchAsync(Download download, Action<long> received, CancellationToken cancel)
    {
        if (File.Exists(download.Target))
        {
            received(download.Bytes ?? new FileInfo(download.Target).Length);
            return; // checked when it got its name
        }

        Directory.CreateDirectory(Path.GetDirectoryName(download.Target)!);
        await ContinueAsync(download, received, cancel);
        if (await ProblemAsync(download, cancel) is not null)
        {
            // A part of it may be from an older state of the file, so it is fetched once more from the beginning.
            Forget(download);
            await ContinueAsync(download, received, cancel);
            if (await ProblemAsync(download, cancel) is { } problem)
            {
                Forget(download);
                throw problem;
            }
        }

        File.Move(PartOf(download), download.Target, overwrite: true);
        File.Delete(TagOf(download));
    }

    private static string PartOf(Download download) => download.Target + ".part";

    /// <summary>Beside a part: the entity tag of the file that it is part of.</summary>
    private static string TagOf(Download download) => download.Target + ".etag";

    private static void Forget(Download download)
    {
        File.Delete(PartOf(download));
        File.Delete(TagOf(download));
    }

    private Task<bool> ContinueAsync(Download download, Action<long> received, CancellationToken cancel)
    {
        var restarts = new Restarts(download, options.Value.MaxAttempts);
        return retries.RunAsync(download.Uri.IdnHost, (attempts, cancel) => TryAsync(download, restarts, attempts, received, cancel), cancel);
    }

    private async Task<bool> TryAsync(Download download, Restarts restarts, Attempts attempts, Action<long> received, CancellationToken cancel)
    {
        await using var part = new FileStream(PartOf(download), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1, FileOptions.Asynchronous);
        if (part.Length > 0 && part.Length == download.Bytes)
        {
            return true; // it was cut off between the last byte and the check
        }

        var from = part.Length;
        using var response = await egress.SendAsync(download.Uri, uri => Request(download, uri, from), cancel);
        Retries.ThrowIfTransient(response);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            restarts.Begin(part); // the file has changed: our part belongs to the old one
            throw new TransientException("the file changed while it was fetched", TimeSpan.Zero);
        }

        if (!response.IsSuccessStatusCode)
        {
            throw download.Refuse(response);
        }

        var range = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange : null;
        if (from > 0 && range?.From != from)
        {
            restarts.Begin(part); // the host cannot send a range, or the file has changed
            if (range is not null)
            {
                throw new TransientException("it answers with another range than was asked for", TimeSpan.Zero);
            }
        }

        var whole = range is null ? response.Content.Headers.ContentLength : range.Length;
        RefuseOtherLength(download, whole);
        await RememberTagAsync(download, response, cancel);
        part.Position = part.Length;
        await CopyAsync(response, part, download, attempts, received, cancel);

        var expected = download.Bytes ?? whole;
        return expected is null || part.Length >= expected ? true : throw new TransientException($"the connection ended after {part.Length} of {expected} bytes");
    }

    private static HttpRequestMessage Request(Download download, Uri uri, long from)
    {
        var request = download.Make(uri);
        request.Headers.AcceptEncoding.Clear(); // ranges count the bytes as stored, not compressed
        if (from > 0)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
            if (File.Exists(TagOf(download)) && EntityTagHeaderValue.TryParse(File.ReadAllText(TagOf(download)), out var tag) && !tag.IsWeak)
            {
                request.Headers.IfRange = new RangeConditionHeaderValue(tag);
            }
        }

        return request;
    }

    private static async Task RememberTagAsync(Download download, HttpResponseMessage response, CancellationToken cancel)
    {
        // Where the hash is known, it decides; the tags of a hub and of its storage differ.
        if (download.Sha256 is null && download.GitHash is null && response.Headers.ETag is { } tag)
        {
            await File.WriteAllTextAsync(TagOf(download), tag.ToString(), cancel);
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, FileStream part, Download download, Attempts attempts, Action<long> received, CancellationToken cancel)
    {
        var standstill = TimeSpan.FromSeconds(options.Value.StandstillSeconds);
        using var watch = new CancellationTokenSource(standstill, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, watch.Token);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            int read;
            while ((read = await body.ReadAsync(buffer.AsMemory(0, BufferBytes), either.Token)) > 0)
            {
                RefuseLong(download, part.Length + read);
                await part.WriteAsync(buffer.AsMemory(0, read), cancel);
                attempts.Progressed = true;
                watch.CancelAfter(standstill);
                received(part.Length);
            }
        }
        catch (OperationCanceledException) when (watch.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new TransientException($"nothing arrived for {standstill.TotalSeconds:0} s");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void RefuseOtherLength(Download download, long? whole)
    {
        if (download.Bytes is { } stated && whole is { } bytes && bytes < stated)
        {
            Forget(download);
            throw new LlmOsException(ErrorCode.CorruptFile, $"{download.Name} has {bytes} bytes where it lies; its list of files says {stated}.");
        }

        RefuseLong(download, whole);
    }

    private static void RefuseLong(Download download, long? bytes)
    {
        if (download.Bytes is { } stated && bytes > stated)
        {
            Forget(download);
            throw new LlmOsException(ErrorCode.CorruptFile, $"{download.Name} is sent with {bytes} bytes or more; its list of files says {stated}.");
        }

        if (bytes > download.MaxBytes)
        {
            Forget(download);
            throw new LlmOsException(ErrorCode.TooLarge, $"{download.Name} has more than {DiskSpace.Show(download.MaxBytes)}, which is what may be taken.");
        }
    }

    /// <summary>What is wrong with a file that has arrived; null when it is right.</summary>
    private static async Task<LlmOsException?> ProblemAsync(Download download, CancellationToken cancel)
    {
        await using var part = new FileStream(PartOf(download), FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var (found, expected) = download switch
        {
            { Sha256: { } sha256 } => (Convert.ToHexStringLower(await SHA256.HashDataAsync(part, cancel)), sha256),
            { GitHash: { } git } => (await GitHashAsync(part, cancel), git),
            _ => ("", ""),
        };
        return found == expected ? null : new LlmOsException(ErrorCode.HashMismatch, $"{download.Name} hashes to {found}, not to the {expected} that was stated for it.") { Hint = "The file was changed on its way or at its source. Retry, or ask who publishes it." };
    }

    /// <summary>Git hashes a head of type and length along with the content.</summary>
    private static async Task<string> GitHashAsync(FileStream content, CancellationToken cancel)
    {
#pragma warning disable CA5350 // git's own hash; it guards against accidents, as https does against changes on the way
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        hash.AppendData(Encoding.ASCII.GetBytes($"blob {content.Length}\0"));
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await content.ReadAsync(buffer, cancel)) > 0)
        {
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Times that a file had to be begun again: a host that always makes us do so is left.</summary>
    private sealed class Restarts(Download download, int max)
    {
        private int _count;

        public void Begin(FileStream part)
        {
            part.SetLength(0);
            File.Delete(TagOf(download));
            if (++_count >= max)
            {
                throw new LlmOsException(ErrorCode.Unavailable, $"{download.Name} had to be begun again {_count} times: its host does not let a download go on from where it was cut.") { Hint = "Fetch the file by other means and import it with file: or upload:." };
            }
        }
    }
}
