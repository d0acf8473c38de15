using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Models.Registry;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Zoo;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Loading;

/// <summary>
/// The graphs that the engine opens: made from a version's stored files and kept under
/// <c>cache/graphs/{key}</c>. They hold nothing that the files do not, so a missing or damaged one is made again.
/// </summary>
public sealed partial class ServingGraphs(DataFolder folder, ArtifactStore store, TimeProvider clock, ILogger<ServingGraphs> log) : ICollectable
{
    private const string ManifestFile = "manifest.json";
    private const string VerifiedFile = "verified.json";

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new();

    public string What => "graphs";

    private string Root => Path.Combine(folder.Cache, "graphs");

    /// <summary>The graph of a version's files. Each stored file and each file of the graph is verified by its SHA-256 once, and again when it has changed (<see cref="VerifiedFiles"/>).</summary>
    /// <param name="progress">Is told how much is done, 0 to 1.</param>
    /// <exception cref="Infrastructure.LlmOsException">A stored file is missing or has changed, or the disk is full.</exception>
    public Task<ModelGraph> OpenAsync(IReadOnlyList<ModelFileView> files, string precision, CancellationToken cancel, Action<double>? progress = null) =>
        OpenAsync(files, precision, areFresh: false, progress, cancel);

    /// <summary>The same for files that this process has just put into the store, where each was hashed on its way.</summary>
    internal Task<ModelGraph> OpenFreshAsync(IReadOnlyList<ModelFileView> files, string precision, CancellationToken cancel) =>
        OpenAsync(files, precision, areFresh: true, progress: null, cancel);

    private async Task<ModelGraph> OpenAsync(IReadOnlyList<ModelFileView> files, string precision, bool areFresh, Action<double>? progress, CancellationToken cancel)
    {
        var built = Precisions.OfGraph(precision);
        var key = KeyOf(files, built);
        var gate = _gates.GetOrAdd(key, _ => new SemaphoreSlim(1));
        await gate.WaitAsync(cancel);
        try
        {
            // Building reads and writes for seconds to minutes; the caller's thread is not held.
            return await FormatRefusal.GuardAsync(() => Task.Run(() => OpenLockedAsync(files, built, key, areFresh, progress, cancel), cancel));
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Deletes the graphs of versions that are gone or out of use, and what builds that were cut off left.</summary>
    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var (count, bytes) = (0, 0L);
        if (!Directory.Exists(Root))
        {
            return new CollectedView(What, count, bytes);
        }

        var old = new DirectoryInfo(Root).EnumerateDirectories().Where(graph => UsedAt(graph) < round.Before.UtcDateTime).ToList();
        var used = old.Count == 0 ? [] : await UsedKeysAsync(round.Db, cancel);
        foreach (var graph in old.Where(graph => !used.Contains(graph.Name)))
        {
            foreach (var file in graph.EnumerateFiles())
            {
                (count, bytes) = (count + 1, bytes + file.Length);
            }

            if (!round.DryRun)
            {
                SetAside(graph.FullName, Path.Combine(Root, $".{Guid.NewGuid():n}.old"));
            }
        }

        return new CollectedView(What, count, bytes);
    }

    /// <summary>When a graph was last built or opened; of a build under way, when it last wrote.</summary>
    private static DateTime UsedAt(DirectoryInfo graph)
    {
        var manifest = new FileInfo(Path.Combine(graph.FullName, ManifestFile));
        return manifest.Exists ? manifest.LastWriteTimeUtc : graph.EnumerateFiles().Select(f => f.LastWriteTimeUtc).Append(graph.LastWriteTimeUtc).Max();
    }

    private static async Task<HashSet<string>> UsedKeysAsync(LlmOsDb db, CancellationToken cancel)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var version in db.ModelVersions.AsNoTracking().Include(v => v.Files).Where(v => v.State == ModelVersionState.Ready).AsAsyncEnumerable().WithCancellation(cancel))
        {
            used.Add(KeyOf([.. version.Files.Select(f => f.ToView())], Precisions.OfGraph(version.Precision)));
        }

        return used;
    }

    /// <summary>Changes with any file that goes into the graph, with its precision, and with the code that writes it.</summary>
    internal static string KeyOf(IReadOnlyList<ModelFileView> files, WeightPrecision precision)
    {
        var isForeign = files.Any(f => OnnxLayout.IsGraph(f.Path)); // its weights may have any name
        // The modules of sentence-transformers may weigh the states of layers.
        var hasModules = files.Any(f => f.Path == SentenceLayoutReader.ModulesFile);
        var sources = files.Where(f => f.Path == ModelFolder.ConfigFile || ModelFolder.IsWeights(f.Path) || isForeign || (hasModules && (f.Path is SentenceLayoutReader.ModulesFile or SentenceLayoutReader.LimitFile || f.Path.Contains('/', StringComparison.Ordinal))))
            .OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => f.Sha256);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"builder {Architectures.BuilderVersion} {precision}\n{string.Join('\n', sources)}")))[..32];
    }

    private async Task<ModelGraph> OpenLockedAsync(IReadOnlyList<ModelFileView> files, WeightPrecision precision, string key, bool areFresh, Action<double>? progress, CancellationToken cancel)
    {
        var target = Path.Combine(Root, key);
        var verified = VerifiedFiles.Read(Path.Combine(target, VerifiedFile));
        await VerifyAsync(files, verified, areFresh, progress, cancel);
        var model = ModelFolder.Check([.. files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))]);
        if (!await IsWholeAsync(target, verified, cancel))
        {
            foreach (var name in await BuildAsync(model, precision, target, cancel))
            {
                verified.NoteFresh(Path.Combine(target, name));
            }

            LogBuilt(key);
        }

        await verified.SaveAsync(cancel);
        File.SetLastWriteTimeUtc(Path.Combine(target, ManifestFile), clock.GetUtcNow().UtcDateTime); // in use: the collector leaves it
        return model.Architecture.GraphAt(target, model.Config, precision);
    }

    private async Task VerifyAsync(IReadOnlyList<ModelFileView> files, VerifiedFiles verified, bool areFresh, Action<double>? progress, CancellationToken cancel)
    {
        var (done, all) = (0L, Math.Max(1, files.Sum(file => file.Bytes)));
        foreach (var file in files)
        {
            var path = store.PathOf(file.Sha256);
            if (areFresh)
            {
                verified.NoteFresh(path);
            }
            else
            {
                await verified.CheckAsync(path, async () =>
                {
                    await store.VerifyAsync(file.Sha256, cancel);
                    return true;
                });
            }

            done += file.Bytes;
            progress?.Invoke((double)done / all);
        }
    }

    /// <returns>The graph's files.</returns>
    private async Task<IReadOnlyCollection<string>> BuildAsync(ModelFolder model, WeightPrecision precision, string target, CancellationToken cancel)
    {
        var temporary = Path.Combine(Root, $".{Guid.NewGuid():n}.tmp");
        Directory.CreateDirectory(temporary);
        DeleteAbandoned();
        try
        {
            using (var weights = ModelFolder.OpenWeights(model.Files))
            {
                model.Architecture.WriteGraph(model.Config, weights, precision, temporary, cancel);
            }

            var manifest = new Dictionary<string, string>();
            foreach (var name in Directory.GetFiles(temporary).Select(Path.GetFileName))
            {
                manifest[name!] = await HashAsync(Path.Combine(temporary, name!), cancel);
            }

            await File.WriteAllBytesAsync(Path.Combine(temporary, ManifestFile), JsonSerializer.SerializeToUtf8Bytes(manifest), cancel);
            FaultPoints.Reach("graph.built");
            await MoveIntoPlaceAsync(temporary, target, cancel);
            return manifest.Keys;
        }
        finally
        {
            DeleteFolder(temporary);
        }
    }

    private static async Task MoveIntoPlaceAsync(string temporary, string target, CancellationToken cancel)
    {
        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Move(temporary, target);
                return;
            }
            catch (IOException) when (Directory.Exists(target) && attempt < Attempts)
            {
                // Another process was faster, or a damaged graph lies there.
                if (await IsWholeAsync(target, VerifiedFiles.None, cancel))
                {
                    return;
                }

                SetAside(target, $"{temporary}.{attempt}.old");
            }
        }
    }

    /// <summary>Takes a damaged graph away by a rename, so that at no moment half a graph bears the name.</summary>
    private static void SetAside(string target, string aside)
    {
        try
        {
            Directory.Move(target, aside);
            DeleteFolder(aside);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process did the same.
        }
    }

    /// <summary>Whether a graph lies there and each of its files hashes to what the manifest says.</summary>
    private static async Task<bool> IsWholeAsync(string target, VerifiedFiles verified, CancellationToken cancel)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllBytesAsync(Path.Combine(target, ManifestFile), cancel));
            foreach (var (name, hash) in manifest ?? [])
            {
                var path = Path.Combine(target, name);
                if (!await verified.CheckAsync(path, async () => await HashAsync(path, cancel) == hash))
                {
                    return false;
                }
            }

            return manifest is { Count: > 0 };
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Removes what builds that were cut off left behind. A build that runs still writes, so its folder is young.</summary>
    private void DeleteAbandoned()
    {
        var before = (clock.GetUtcNow() - AbandonedAfter).UtcDateTime;
        foreach (var left in Directory.GetDirectories(Root, ".*").Where(left => Directory.GetLastWriteTimeUtc(left) < before))
        {
            DeleteFolder(left);
        }
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [LoggerMessage(LogLevel.Debug, "Built the serving graph {Key}")]
    private partial void LogBuilt(string key);
}
