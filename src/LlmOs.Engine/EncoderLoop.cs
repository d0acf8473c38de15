using LlmOs.Engine.Execution;

namespace LlmOs.Engine;

/// <summary>
/// One thread that runs waiting texts in batches. The oldest text decides the padded length of the next batch; others of that
/// length join it up to a number of tokens.
/// </summary>
internal sealed class EncoderLoop
{
    /// <summary>Tokens of a batch, padding among them: enough to fill the processor, little enough for its caches.</summary>
    private const int BatchTokens = 4096;

    private readonly EncoderRunner _runner;
    private readonly int _mostRequests;
    private readonly int _slots;
    private readonly object _gate = new();
    private readonly Dictionary<(int Length, EncoderOutput Wanted), Queue<Item>> _waiting = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _requests;
    private long _next;
    private bool _stopping;

    public EncoderLoop(EncoderRunner runner, EngineOptions options, string name)
    {
        _runner = runner;
        (_slots, _mostRequests) = (options.Slots, options.Slots + options.MaxQueued);
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Completes when the thread has ended and native memory is released.</summary>
    public Task Stopped => _stopped.Task;

    public async Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (texts.Count == 0)
        {
            return [];
        }

        var request = new Request(texts.Count);
        lock (_gate)
        {
            if (_stopping)
            {
                throw Closed();
            }

            if (_requests >= _mostRequests)
            {
                throw new EngineBusyException(_slots, _mostRequests - _slots);
            }

            _requests++;
            for (var i = 0; i < texts.Count; i++)
            {
                var key = (_runner.PaddedLength(texts[i].Ids.Length), wanted);
                if (!_waiting.TryGetValue(key, out var queue))
                {
                    _waiting.Add(key, queue = new Queue<Item>());
                }

                queue.Enqueue(new Item(request, i, texts[i], _next++));
            }

            Monitor.Pulse(_gate);
        }

        try
        {
            await using var registration = cancel.Register(() => request.Done.TrySetCanceled(cancel)).ConfigureAwait(false);
            return await request.Done.Task.ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _requests--;
            }
        }
    }

    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        List<Item> batch = [];
        while (Take(batch, out var length, out var wanted))
        {
            try
            {
                var results = _runner.Run([.. batch.Select(item => item.Text)], length, wanted);
                for (var i = 0; i < batch.Count; i++)
                {
                    batch[i].Request.Set(batch[i].Index, results[i]);
                }
            }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the requests of this batch; the loop goes on.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                foreach (var item in batch)
                {
                    item.Request.Done.TrySetException(new EngineStepException($"The model failed in a step: {fault.Message}", fault));
                }
            }
        }

        foreach (var item in _waiting.Values.SelectMany(queue => queue))
        {
            item.Request.Done.TrySetException(Closed());
        }

        _runner.Dispose();
        NativeHeap.Trim();
        _stopped.SetResult();
    }

    /// <returns>False when the loop is to end.</returns>
    private bool Take(List<Item> batch, out int length, out EncoderOutput wanted)
    {
        batch.Clear();
        (length, wanted) = (0, default);
        lock (_gate)
        {
            while (!_stopping)
            {
                DropAbandoned();
                if (_waiting.Count > 0)
                {
                    var (key, queue) = _waiting.MinBy(pair => pair.Value.Peek().Number);
                    (length, wanted) = key;
                    var most = Math.Max(1, BatchTokens / length);
                    while (batch.Count < most && queue.TryDequeue(out var item))
                    {
                        if (!item.Request.Done.Task.IsCompleted)
                        {
                            batch.Add(item);
                        }
                    }

                    if (queue.Count == 0)
                    {
                        _waiting.Remove(key);
                    }

                    return true;
                }

                Monitor.Wait(_gate);
            }
        }

        return false;
    }

    /// <summary>Takes texts of requests that were given up, or that failed already, from the heads of the queues.</summary>
    private void DropAbandoned()
    {
        foreach (var (key, queue) in _waiting.ToList())
        {
            while (queue.TryPeek(out var item) && item.Request.Done.Task.IsCompleted)
            {
                queue.Dequeue();
            }

            if (queue.Count == 0)
            {
                _waiting.Remove(key);
            }
        }
    }

    private static EngineClosedException Closed() => new("The model was unloaded; load it again to use it.");

    /// <param name="Number">Rises with every text, so that the oldest can be told.</param>
    private sealed record Item(Request Request, int Index, EncoderText Text, long Number);

    private sealed class Request(int count)
    {
        private readonly float[][] _results = new float[count][];
        private int _missing = count;

        // Continuations of the caller must not run on the loop's thread.
        public TaskCompletionSource<float[][]> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Set(int index, float[] result)
        {
            _results[index] = result;
            if (--_missing == 0)
            {
                Done.TrySetResult(_results);
            }
        }
    }
}
