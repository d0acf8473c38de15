using System.Security.Cryptography;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry.Cards;

/// <summary>
/// Cards as HTML, each rendered once: when it is written, or when it is first shown, one at a time. They lie in the cache folder
/// under the hash of their text, and can be made again.
/// </summary>
internal sealed partial class CardPages(DataFolder folder, TimeProvider clock, ILogger<CardPages> log) : ICollectable, IDisposable
{
    /// <summary>What lies in the place of a text that cannot be shown as HTML; no HTML begins so.</summary>
    private const string None = "\0";

    private static readonly TimeSpan UnusedFor = TimeSpan.FromDays(30);
    private static readonly TimeSpan TouchInterval = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim _gate = new(1);

    public string What => "cards";

    private string Root => Path.Combine(folder.Cache, "cards");

    /// <summary>The HTML of a Markdown text; null where it cannot be shown as HTML.</summary>
    public async Task<string?> OfAsync(string markdown, CancellationToken cancel)
    {
        var path = Path.Combine(Root, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{CardHtml.Version}\n{markdown}"))));
        if (await ReadAsync(path, cancel) is { } kept)
        {
            return kept == None ? null : kept;
        }

        await _gate.WaitAsync(cancel);
        try
        {
            if (await ReadAsync(path, cancel) is { } made)
            {
                return made == None ? null : made;
            }

            var html = await Task.Run(() => CardHtml.Render(markdown), CancellationToken.None); // it cannot be stopped, and the next reader wants it too
            await KeepAsync(path, html ?? None, CancellationToken.None);
            return html;
        }
        finally
        {
            _gate.Release();
        }
    }

    public Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var (count, bytes) = (0, 0L);
        var before = (round.Now - UnusedFor).UtcDateTime;
        foreach (var file in Directory.Exists(Root) ? new DirectoryInfo(Root).EnumerateFiles().Where(f => f.LastWriteTimeUtc < before) : [])
        {
            (count, bytes) = (count + 1, bytes + file.Length);
            if (!round.DryRun)
            {
                file.Delete();
            }
        }

        return Task.FromResult(new CollectedView(What, count, bytes));
    }

    public void Dispose() => _gate.Dispose();

    /// <summary>Null where nothing is kept.</summary>
    private async Task<string?> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            var kept = await File.ReadAllTextAsync(path, cancel);
            if (clock.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(path) > TouchInterval)
            {
                File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
            }

            return kept;
        }
        catch (IOException)
        {
            return null; // not made yet, or just collected
        }
    }

    /// <summary>A disk that is full costs the next reader a rendering, no more.</summary>
    private async Task KeepAsync(string path, string text, CancellationToken cancel)
    {
        var unfinished = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            Directory.CreateDirectory(Root);
            await File.WriteAllTextAsync(unfinished, text, cancel);
            File.Move(unfinished, path, overwrite: true);
        }
        catch (IOException e)
        {
            LogNotKept(e);
            File.Delete(unfinished);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A card that was rendered could not be kept; it is rendered again when it is asked for")]
    private partial void LogNotKept(Exception cause);
}
