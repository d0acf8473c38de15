using LlmOs.Contracts;
using LlmOs.Infrastructure;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Loading;

/// <summary>The models that are loaded in this process.</summary>
internal sealed partial class ModelHost : IAsyncDisposable
{
    private readonly LoadOnceCache<ServableModel, LoadedGraph> _cache;
    private readonly TimeProvider _clock;
    private readonly ILogger<ModelHost> _log;

    public ModelHost(ModelLoader loader, MemoryBudget budget, TimeProvider clock, ILogger<ModelHost> log)
    {
        (_clock, _log) = (clock, log);
        _cache = new LoadOnceCache<ServableModel, LoadedGraph>(
            async (model, cancel) =>
            {
                var plan = await loader.PrepareAsync(model, cancel);
                return plan with { Load = () => Load(model, plan) };
            },
            (needed, held, all) => needed > all ? budget.TooLarge(needed) : NoRoom(needed, held, all),
            loaded => loaded.HasEnded,
            budget.Bytes);
    }

    /// <summary>A loaded model; give the lease back when the last token is out.</summary>
    public async Task<ModelLease> LeaseAsync(ServableModel model, CancellationToken cancel)
    {
        var began = _clock.GetTimestamp();
        var wasThere = _cache.Peek(model) is not null;
        var lease = await _cache.LeaseAsync(model, cancel);
        return new ModelLease(lease, wasThere ? TimeSpan.Zero : _clock.GetElapsedTime(began));
    }

    /// <summary>Memory a model takes now; null while it is not loaded.</summary>
    public long? MemoryBytes(ServableModel model) => _cache.Peek(model)?.MemoryBytes;

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    private LoadedGraph Load(ServableModel model, LoadPlan<LoadedGraph> plan)
    {
        var began = _clock.GetTimestamp();
        var loaded = plan.Load();
        LogLoaded(model.Reference, loaded.Device, plan.Bytes >> 20, _clock.GetElapsedTime(began).TotalMilliseconds);
        return loaded;
    }

    private static LlmOsException NoRoom(long needed, long held, long budget) =>
        new(ErrorCode.Unavailable, $"The model needs {needed >> 20} MiB, but models in use hold {held >> 20} of {budget >> 20} MiB.")
        {
            Hint = "Try again when other requests have ended, or raise Serving:MemoryMiB.",
        };

    [LoggerMessage(LogLevel.Information, "Loaded {Model} on {Device}: {MiB} MiB in {Milliseconds:F0} ms")]
    private partial void LogLoaded(string model, string device, long miB, double milliseconds);
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
