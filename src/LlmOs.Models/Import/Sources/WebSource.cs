using System.Text.RegularExpressions;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Network;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Pull;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Sources;

/// <summary>
/// One file of the web: <c>https://host/path/model.gguf</c>, an archive or a bundle. <c>#sha256=...</c> at its end states
/// the hash that it must have.
/// </summary>
internal sealed partial class WebSource(Egress egress, Downloader downloader, DataFolder folder, TimeProvider clock)
{
    public static bool Is(string source) =>
        source.StartsWith("https:", StringComparison.OrdinalIgnoreCase) || source.StartsWith("http:", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="LlmOsException">It is no address, or its host may not be called.</exception>
    public (Uri Uri, string? Sha256) Check(string source)
    {
        if (!Uri.TryCreate(source, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0)
        {
            throw LlmOsException.Invalid("source", $"source: '{ModelName.Shorten(source)}' is not an address. Expected: https://host/path/model.gguf, without a user's name in it.");
        }

        egress.Check(uri, "source");
        var hash = Hash().Match(uri.Fragment);
        return uri.Fragment.Length == 0 || hash.Success
            ? (new UriBuilder(uri) { Fragment = "" }.Uri, hash.Success ? hash.Groups[1].Value.ToLowerInvariant() : null)
            : throw LlmOsException.Invalid("source", "source: what stands after # is not sha256= and 64 hex digits.");
    }

    public async Task<FetchedSource> FetchAsync(string source, JobContext job, CancellationToken cancel)
    {
        var (uri, sha256) = Check(source);
        var root = Directory.CreateDirectory(Path.Combine(job.CheckpointFolder, "pull")).FullName;
        var target = Path.Combine(root, FileName(uri));
        var progress = new PullProgress(job, clock, total: null);
        progress.Begin(Path.GetFileName(target));
        var free = new DriveInfo(folder.Root).AvailableFreeSpace;
        await downloader.FetchAsync(new Download(uri, target, Path.GetFileName(target)) { Sha256 = sha256, MaxBytes = Math.Max(0, free - (1 << 30)) }, progress.Received, cancel);
        return new FetchedSource(target, IsOurs: true, Origin(uri, sha256));
    }

    /// <summary>The address without its query, which may hold a secret.</summary>
    private static string Origin(Uri uri, string? sha256) => uri.GetLeftPart(UriPartial.Path) + (sha256 is null ? "" : $"#sha256={sha256}");

    /// <summary>The last part of the path, as far as it is a plain name: its ending tells the kind of file.</summary>
    private static string FileName(Uri uri)
    {
        var last = Uri.UnescapeDataString(uri.Segments[^1]);
        return PlainName().IsMatch(last) ? last : "download";
    }

    [GeneratedRegex(@"\A#sha256=([0-9a-fA-F]{64})\z")]
    private static partial Regex Hash();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,150}\z")]
    private static partial Regex PlainName();
}
