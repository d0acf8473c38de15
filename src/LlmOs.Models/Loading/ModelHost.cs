using LlmOs.Contracts;
using LlmOs.Infrastructure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Loading;

/// <summary>The models that are loaded in this process.</summary>
internal sealed partial class ModelHost : IAsyncDisposable
{
    private readonly LoadOnceCache<ServableModel, LoadedGraph> _cache;
    private readonly ServingMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<ModelHost> _log;

    public ModelHost(ModelLoader loader, MemoryBudget budget, IOptions<ServingOptions> options, ServingMetrics metrics, TimeProvider clock, ILogger<ModelHost> log)
    {
        (_metrics, _clock, _log) = (metrics, clock, log);
        var rules = new LoadRules<ServableModel, LoadedGraph>(
            async (model, progress, cancel) =>
            {
                var began = clock.GetTimestamp();
                var plan = await loader.PrepareAsync(model, progress, cancel);
                return plan with { Load = () => Load(model, plan, began) };
            },
            (needed, held, all) => needed > all ? budget.TooLarge(needed) : NoRoom(needed, held, all),
            loaded => loaded.HasEnded,
            Unloaded);
        _cache = new LoadOnceCache<ServableModel, LoadedGraph>(rules, budget.Bytes, KeepAlive.Read(options.Value.KeepAliveSeconds)!.Value, clock);
        metrics.Watch(() => _cache.List().Where(view => view.Value is not null).Select(view => (view.Key.Reference, view.Bytes, view.Value!.Load)));
    }

    /// <summary>A loaded model; give the lease back when the last token is out.</summary>
    /// <param name="keep">How long the model stays loaded afterwards; null leaves that as it is.</param>
    public async Task<ModelLease> LeaseAsync(ServableModel model, CancellationToken cancel, KeepAlive? keep = null)
    {
        var began = _clock.GetTimestamp();
        var wasThere = _cache.Peek(model) is not null;
        var lease = await LeaseAsync(model, keep, pinned: null, cancel);
        return new ModelLease(lease, wasThere ? TimeSpan.Zero : _clock.GetElapsedTime(began));
    }

    /// <summary>Memory a model takes now; null while it is not loaded.</summary>
    public long? MemoryBytes(ServableModel model) => _cache.Peek(model)?.MemoryBytes;

    /// <summary>Loads a model that nobody needs yet. Who leaves does not stop the load.</summary>
    /// <param name="pinned">Whether it stays however much room others need; null leaves that as it is.</param>
    public async Task LoadAsync(ServableModel model, KeepAlive? keep, bool? pinned, CancellationToken cancel) =>
        (await LeaseAsync(model, keep, pinned, cancel)).Dispose();

    /// <summary>Unloads models as soon as no request holds them.</summary>
    public void Unload(Func<ServableModel, bool> which, UnloadReason reason) => _cache.Unload(which, reason);

    /// <summary>Unloads what was idle for as long as it was to be kept.</summary>
    public void Sweep() => _cache.Sweep();

    /// <summary>The versions that are loaded, or coming or going.</summary>
    public IReadOnlyList<ServableModel> Models() => [.. _cache.List().Select(view => view.Key).Distinct()];

    /// <summary>The same as they are shown, by name and version.</summary>
    public IReadOnlyList<RunningModel> List()
    {
        var now = _clock.GetUtcNow();
        return [.. _cache.List().OrderBy(view => view.Key.Name, StringComparer.Ordinal).ThenBy(view => view.Key.Version).Select(view => new RunningModel(
            view.Key.Name,
            view.Key.Version,
            view.State,
            Math.Round(view.Progress, 3),
            view.Bytes,
            view.Value?.Load.KvBytes ?? 0,
            view.Leases,
            Math.Round(view.Idle.TotalSeconds, 1),
            now + view.Left,
            view.IsPinned))];
    }

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    private async Task<LoadOnceCache<ServableModel, LoadedGraph>.Lease> LeaseAsync(ServableModel model, KeepAlive? keep, bool? pinned, CancellationToken cancel)
    {
        try
        {
            return await _cache.LeaseAsync(model, cancel, keep, pinned);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            _metrics.LoadFailed(model.Reference, (fault as LlmOsException)?.Code ?? ErrorCode.InternalError);
            throw;
        }
    }

    private LoadedGraph Load(ServableModel model, LoadPlan<LoadedGraph> plan, long began)
    {
        var loaded = plan.Load();
        var took = _clock.GetElapsedTime(began);
        _metrics.Loaded(model.Reference, took);
        LogLoaded(model.Reference, loaded.Device, plan.Bytes >> 20, took.TotalMilliseconds);
        return loaded;
    }

    private void Unloaded(ServableModel model, long bytes, UnloadReason reason)
    {
        _metrics.Unloaded(model.Reference, reason);
        LogUnloaded(model.Reference, bytes >> 20, Say(reason));
    }

    private static string Say(UnloadReason reason) => reason switch
    {
        UnloadReason.MadeRoom => "another model needed its memory, and no idle one was used longer ago",
        UnloadReason.Expired => "nobody used it for as long as it was to be kept",
        UnloadReason.Asked => "somebody asked for it",
        UnloadReason.Gone => "it was archived or deleted",
        UnloadReason.Ended => "its engine ended by a fault",
        UnloadReason.Closing => "the server stops",
    };

    private static LlmOsException NoRoom(long needed, long held, long budget) =>
        new(ErrorCode.Unavailable, $"The model needs {needed >> 20} MiB, but models that are in use or pinned hold {held >> 20} of {budget >> 20} MiB.")
        {
            Hint = "Try again when other requests have ended, unload or unpin a model (GET /api/v1/running lists them), or raise Serving:MemoryMiB.",
        };

    [LoggerMessage(LogLevel.Information, "Loaded {Model} on {Device}: {MiB} MiB in {Milliseconds:F0} ms")]
    private partial void LogLoaded(string model, string device, long miB, double milliseconds);

    [LoggerMessage(LogLevel.Information, "Unloaded {Model}, {MiB} MiB: {Reason}")]
    private partial void LogUnloaded(string model, long miB, string reason);
}

/// <summary>A model in use by one request.</summary>
/// <param name="Waited">What the request waited for the load; zero when the model was there.</param>
internal sealed record ModelLease(LoadOnceCache<ServableModel, LoadedGraph>.Lease Lease, TimeSpan Waited) : IDisposable
{
    /// <summary>For a version whose task is to write text.</summary>
    public LoadedModel Model => (LoadedModel)Lease.Value;

    /// <summary>For a version of another task.</summary>
    public LoadedEncoder Encoder => (LoadedEncoder)Lease.Value;

    public void Dispose() => Lease.Dispose();
}
