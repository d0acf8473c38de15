namespace LlmOs.Models.Loading;

/// <summary>What is known of a value before it is loaded.</summary>
/// <param name="Bytes">Memory it will take.</param>
/// <param name="Load">Loads it; may take long and block, so it is called on a thread of its own.</param>
internal sealed record LoadPlan<T>(long Bytes, Func<T> Load);

/// <summary>What a cache does with its values.</summary>
/// <param name="Prepare">Finds out what loading a value takes, and says how far it is.</param>
/// <param name="Refuse">The exception for a value that does not fit beside those that stay: bytes needed, bytes held, all there are.</param>
/// <param name="HasEnded">Whether a value is of no use any more, so that whoever asks for it loads another.</param>
/// <param name="Unloaded">Is told of each value that went: its bytes, and why.</param>
internal sealed record LoadRules<TKey, T>(
    Func<TKey, IProgress<double>, CancellationToken, Task<LoadPlan<T>>> Prepare,
    Func<long, long, long, Exception> Refuse,
    Func<T, bool> HasEnded,
    Action<TKey, long, UnloadReason> Unloaded);

/// <summary>
/// Holds expensive values within a budget of memory. Each is loaded once however many ask for it at a time, and different ones
/// side by side; one in use is never unloaded; of the idle ones that are not pinned the least recently used makes room. A failed
/// load is forgotten, so the next try starts anew.
/// </summary>
/// <param name="keepAlive">How long an idle value stays where whoever asked for it did not say.</param>
internal sealed class LoadOnceCache<TKey, T>(LoadRules<TKey, T> rules, long budget, KeepAlive keepAlive, TimeProvider clock) : IAsyncDisposable
    where TKey : notnull
    where T : class, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<CacheEntry<TKey, T>> _entries = []; // those that are being unloaded among them
    private readonly CancellationTokenSource _closing = new();
    private long _turn;
    private bool _closed;

    /// <summary>Bytes of all values that are held, coming or going.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return Held();
            }
        }
    }

    /// <summary>The value if it is loaded now, without taking it.</summary>
    public T? Peek(TKey key)
    {
        lock (_gate)
        {
            return Find(key)?.Value;
        }
    }

    /// <summary>Every value that is held, coming or going.</summary>
    public IReadOnlyList<CacheView<TKey, T>> List()
    {
        lock (_gate)
        {
            return _entries.ConvertAll(entry => entry.View(clock));
        }
    }

    /// <summary>Takes a value, loading it first if need be; give the lease back when done.</summary>
    /// <param name="cancel">Ends the waiting; a load that others may want goes on.</param>
    /// <param name="keep">How long it stays while idle; null leaves that as it is.</param>
    /// <param name="pinned">Whether it stays however much room others need; null leaves that as it is.</param>
    public async Task<Lease> LeaseAsync(TKey key, CancellationToken cancel, KeepAlive? keep = null, bool? pinned = null)
    {
        CacheEntry<TKey, T> entry;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            entry = FindOrAdd(key);
            entry.Take(++_turn, clock.GetTimestamp(), keep, pinned);
        }

        try
        {
            return new Lease(await entry.Loading.WaitAsync(cancel).ConfigureAwait(false), () => Release(entry));
        }
        catch
        {
            Release(entry);
            throw;
        }
    }

    /// <summary>Unloads values as soon as nobody uses them.</summary>
    public void Unload(Func<TKey, bool> which, UnloadReason reason)
    {
        lock (_gate)
        {
            foreach (var entry in _entries.FindAll(entry => which(entry.Key)))
            {
                entry.Leave(reason);
                UnloadIfDue(entry);
            }
        }
    }

    /// <summary>Unloads what was idle for as long as it was to be kept.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var entry in _entries)
            {
                UnloadIfDue(entry);
            }
        }
    }

    /// <summary>Unloads everything; what is still leased is unloaded as well, so call it when no request runs.</summary>
    public async ValueTask DisposeAsync()
    {
        List<CacheEntry<TKey, T>> all;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            all = [.. _entries];
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        foreach (var entry in all)
        {
            await ((Task)entry.Loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Task going;
            lock (_gate)
            {
                going = entry.Value is null ? Task.CompletedTask : Begin(entry, UnloadReason.Closing);
            }

            await going.ConfigureAwait(false);
        }

        _closing.Dispose();
    }

    private CacheEntry<TKey, T>? Find(TKey key) => _entries.Find(entry => entry.Unloading is null && EqualityComparer<TKey>.Default.Equals(entry.Key, key));

    /// <remarks>With the lock.</remarks>
    private CacheEntry<TKey, T> FindOrAdd(TKey key)
    {
        var old = Find(key);
        if (old is not null && (old.Value is not { } value || !rules.HasEnded(value)))
        {
            return old;
        }

        var entry = new CacheEntry<TKey, T>(key, old?.KeepAlive ?? keepAlive, old?.IsPinned ?? false);
        if (old is not null)
        {
            Begin(old, UnloadReason.Ended);
        }

        _entries.Add(entry);
        entry.Loading = LoadAsync(entry);
        return entry;
    }

    private async Task<T> LoadAsync(CacheEntry<TKey, T> entry)
    {
        try
        {
            // Leaves the lock that the caller holds, and the caller's own thread.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var plan = await rules.Prepare(entry.Key, entry, _closing.Token).ConfigureAwait(false);
            await MakeRoomAsync(entry, plan.Bytes).ConfigureAwait(false);
            var value = plan.Load();
            lock (_gate)
            {
                entry.Loaded(value, clock.GetTimestamp());
                UnloadIfDue(entry);
            }

            return value;
        }
        catch
        {
            lock (_gate)
            {
                _entries.Remove(entry);
            }

            throw;
        }
    }

    /// <summary>Sets memory aside for an entry; others are unloaded for it only where that is enough.</summary>
    private async Task MakeRoomAsync(CacheEntry<TKey, T> entry, long bytes)
    {
        while (true)
        {
            Task going;
            lock (_gate)
            {
                var held = Held();
                if (held + bytes <= budget)
                {
                    entry.Bytes = bytes;
                    return;
                }

                var stays = _entries.Where(e => e.Unloading is null && !e.IsIdle).Sum(e => e.Bytes);
                if (stays + bytes > budget)
                {
                    throw rules.Refuse(bytes, stays, budget);
                }

                going = _entries.Find(e => e.Unloading is not null)?.Unloading ?? Begin(_entries.Where(e => e.IsIdle).MinBy(e => e.Turn)!, UnloadReason.MadeRoom);
            }

            await going.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Release(CacheEntry<TKey, T> entry)
    {
        lock (_gate)
        {
            entry.GiveBack(++_turn, clock.GetTimestamp());
            UnloadIfDue(entry);
        }
    }

    /// <remarks>With the lock.</remarks>
    private long Held() => _entries.Sum(entry => entry.Bytes);

    /// <remarks>With the lock.</remarks>
    private void UnloadIfDue(CacheEntry<TKey, T> entry)
    {
        if (entry.DueAt(clock) is { } reason)
        {
            Begin(entry, reason);
        }
    }

    /// <summary>Unloads a value; whoever asks for it from here on loads it again.</summary>
    /// <remarks>With the lock.</remarks>
    private Task Begin(CacheEntry<TKey, T> entry, UnloadReason reason) => entry.Unloading ??= UnloadAsync(entry, reason);

    private async Task UnloadAsync(CacheEntry<TKey, T> entry, UnloadReason reason)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await entry.Value!.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _entries.Remove(entry);
            }

            rules.Unloaded(entry.Key, entry.Bytes, reason);
        }
    }

    /// <summary>A value in use.</summary>
    internal sealed class Lease(T value, Action release) : IDisposable
    {
        private Action? _release = release;

        public T Value { get; } = value;

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }
}
