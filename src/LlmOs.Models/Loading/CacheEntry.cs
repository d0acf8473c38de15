using LlmOs.Contracts;

namespace LlmOs.Models.Loading;

/// <summary>A value of a cache as it is shown.</summary>
/// <param name="Value">Null while it is loading.</param>
/// <param name="Progress">Of its loading, 0 to 1.</param>
/// <param name="Bytes">Memory that it is charged; 0 until that is known.</param>
/// <param name="Leases">How many use it.</param>
/// <param name="Idle">Since nobody uses it.</param>
/// <param name="Left">Until it is unloaded if nobody uses it; null: until its memory is needed.</param>
internal sealed record CacheView<TKey, T>(TKey Key, T? Value, RunningState State, double Progress, long Bytes, int Leases, TimeSpan Idle, TimeSpan? Left, bool IsPinned)
    where T : class;

/// <summary>A value of a cache: coming, there, or going. To be touched with the cache's lock, but for its progress.</summary>
internal sealed class CacheEntry<TKey, T>(TKey key, KeepAlive keepAlive, bool isPinned) : IProgress<double>
    where T : class
{
    private UnloadReason? _leaves;
    private double _progress;
    private long _lastUsed;

    public TKey Key { get; } = key;

    /// <summary>Set right after the entry was made.</summary>
    public Task<T> Loading { get; set; } = null!;

    /// <summary>Set when it goes; it is in the cache until this has ended.</summary>
    public Task? Unloading { get; set; }

    public T? Value { get; private set; }

    /// <summary>Memory that is set aside for it.</summary>
    public long Bytes { get; set; }

    public int Leases { get; private set; }

    /// <summary>The later it was used, the higher.</summary>
    public long Turn { get; private set; }

    public KeepAlive KeepAlive { get; private set; } = keepAlive;

    /// <summary>Whether it stays however much room others need.</summary>
    public bool IsPinned { get; private set; } = isPinned;

    /// <summary>Whether it may make room for others.</summary>
    public bool IsIdle => Value is not null && Leases == 0 && !IsPinned && Unloading is null;

    public void Report(double value) => Volatile.Write(ref _progress, value);

    public void Take(long turn, long now, KeepAlive? keep, bool? pinned)
    {
        Leases++;
        (Turn, _lastUsed) = (turn, now);
        _leaves = null; // whoever asks for it wants it
        KeepAlive = keep ?? KeepAlive;
        IsPinned = pinned ?? IsPinned;
    }

    public void GiveBack(long turn, long now)
    {
        Leases--;
        (Turn, _lastUsed) = (turn, now);
    }

    public void Loaded(T value, long now) => (Value, _lastUsed, _progress) = (value, now, 1);

    /// <summary>It goes as soon as nobody uses it.</summary>
    public void Leave(UnloadReason reason) => _leaves = reason;

    /// <returns>Why it is to be unloaded now; null where it is not.</returns>
    public UnloadReason? DueAt(TimeProvider clock) =>
        Value is null || Leases > 0 || Unloading is not null ? null
        : _leaves is not null ? _leaves
        : !IsPinned && KeepAlive.Time is { } time && clock.GetElapsedTime(_lastUsed) >= time ? UnloadReason.Expired
        : null;

    public CacheView<TKey, T> View(TimeProvider clock)
    {
        var idle = Leases > 0 || Value is null ? TimeSpan.Zero : clock.GetElapsedTime(_lastUsed);
        var state = Unloading is not null || _leaves is not null ? RunningState.Unloading : Value is null ? RunningState.Loading : RunningState.Ready;
        var left = IsPinned || KeepAlive.Time is not { } time ? (TimeSpan?)null : time > idle ? time - idle : TimeSpan.Zero;
        return new CacheView<TKey, T>(Key, Value, state, Volatile.Read(ref _progress), Bytes, Leases, idle, left, IsPinned);
    }
}
