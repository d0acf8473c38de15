namespace LlmOs.Models.Loading;

/// <summary>What is known of a value before it is loaded.</summary>
/// <param name="Bytes">Memory it will take.</param>
/// <param name="Load">Loads it; may take long and block, so it is called on a thread of its own.</param>
internal sealed record LoadPlan<T>(long Bytes, Func<T> Load);

/// <summary>
/// Holds expensive values within a budget of memory. Each is loaded once however many ask for it at a time; one in use is
/// never unloaded; of the idle ones the least recently used goes first. A failed load is forgotten, so the next try starts anew.
/// </summary>
/// <param name="prepare">Finds out what loading a value takes; runs one at a time, together with the load.</param>
/// <param name="hasEnded">Whether a value is of no use any more, so that whoever asks for it loads another.</param>
/// <param name="refuse">The exception for a value that does not fit beside those in use: bytes needed, bytes in use, budget.</param>
internal sealed class LoadOnceCache<TKey, T>(
    Func<TKey, CancellationToken, Task<LoadPlan<T>>> prepare,
    Func<long, long, long, Exception> refuse,
    Func<T, bool> hasEnded,
    long budget) : IAsyncDisposable
    where TKey : notnull
    where T : class, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly SemaphoreSlim _loading = new(1, 1);
    private readonly CancellationTokenSource _closing = new();
    private long _clock;
    private bool _closed;

    /// <summary>Bytes of all values held now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _entries.Values.Sum(e => e.Bytes);
            }
        }
    }

    /// <summary>The value if it is loaded now, without taking it.</summary>
    public T? Peek(TKey key)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(key, out var entry) ? entry.Value : null;
        }
    }

    /// <summary>Takes a value, loading it first if need be; give the lease back when done.</summary>
    /// <param name="cancel">Ends the waiting; a load that others may want goes on.</param>
    public async Task<Lease> LeaseAsync(TKey key, CancellationToken cancel)
    {
        Entry? entry;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_entries.TryGetValue(key, out var old) && old.Value is { } value && hasEnded(value))
            {
                _entries.Remove(key);
            }

            if (!_entries.TryGetValue(key, out entry))
            {
                entry = new Entry();
                _entries.Add(key, entry);
                entry.Loading = LoadAsync(key, entry);
            }

            entry.Leases++;
            entry.LastUsed = ++_clock;
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

    /// <summary>Unloads everything; what is still leased is unloaded as well, so call it when no request runs.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Entry> all;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            all = [.. _entries.Values];
            _entries.Clear();
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        foreach (var entry in all)
        {
            await ((Task)entry.Loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (entry.Value is { } value)
            {
                await value.DisposeAsync().ConfigureAwait(false);
            }
        }

        _closing.Dispose();
        _loading.Dispose();
    }

    private async Task<T> LoadAsync(TKey key, Entry entry)
    {
        try
        {
            // Leaves the lock that the caller holds, and the caller's own thread.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await _loading.WaitAsync(_closing.Token).ConfigureAwait(false);
            try
            {
                var plan = await prepare(key, _closing.Token).ConfigureAwait(false);
                await MakeRoomAsync(plan.Bytes).ConfigureAwait(false);
                var value = plan.Load();
                lock (_gate)
                {
                    entry.Value = value;
                    entry.Bytes = plan.Bytes;
                }

                return value;
            }
            finally
            {
                _loading.Release();
            }
        }
        catch
        {
            lock (_gate)
            {
                _entries.Remove(key);
            }

            throw;
        }
    }

    private async Task MakeRoomAsync(long bytes)
    {
        while (true)
        {
            Entry victim;
            lock (_gate)
            {
                var held = _entries.Values.Sum(e => e.Bytes);
                if (held + bytes <= budget)
                {
                    return;
                }

                var idle = _entries.Where(e => e.Value is { Leases: 0, Value: not null }).OrderBy(e => e.Value.LastUsed).Select(e => e.Key).ToList();
                if (idle.Count == 0)
                {
                    throw refuse(bytes, held, budget);
                }

                victim = _entries[idle[0]];
                _entries.Remove(idle[0]);
            }

            await victim.Value!.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Release(Entry entry)
    {
        lock (_gate)
        {
            entry.Leases--;
            entry.LastUsed = ++_clock;
        }
    }

    /// <summary>A value in use.</summary>
    internal sealed class Lease(T value, Action release) : IDisposable
    {
        private Action? _release = release;

        public T Value { get; } = value;

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }

    private sealed class Entry
    {
        public Task<T> Loading { get; set; } = null!;

        public T? Value { get; set; }

        public int Leases { get; set; }

        public long LastUsed { get; set; }

        public long Bytes { get; set; }
    }
}
