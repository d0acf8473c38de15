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

    private readonly IEncoderRunner _runner;
    private readonly int _mostRequests;
    private readonly int _slots;
    private readonly object _gate = new();
    private readonly Dictionary<(int Length, EncoderOutput Wanted), Queue<Item>> _waiting = [];
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _requests;
    private long _next;
    private bool _stopping;

    public EncoderLoop(IEncoderRunner runner, EngineOptions options, string name)
    {
        _runner = runner;
        (_slots, _mostRequests) = (options.Slots, options.Slots + options.MaxQueued);
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Completes when the thread has ended and native memory is released.</summary>
    public Task Stopped => _stopped.Task;

    /// <exception cref="EngineBusyException">There are as many requests as there may be.</exception>
    /// <exception cref="EngineClosedException">The loop has ended.</exception>
    public void Submit(EncoderRequest request)
    {
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
            if (request.IsDone)
            {
                End(request, fault: null); // of no texts
            }

            for (var i = 0; i < request.Texts.Count; i++)
            {
                var key = (_runner.PaddedLength(request.Texts[i].Ids.Length), request.Wanted);
                if (!_waiting.TryGetValue(key, out var queue))
                {
                    _waiting.Add(key, queue = new Queue<Item>());
                }

                queue.Enqueue(new Item(request, i, _next++));
            }

            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends a request at once, or after the batch it is in.</summary>
    public void Cancel(EncoderRequest request)
    {
        lock (_gate)
        {
            if (request.IsInBatch)
            {
                request.IsCancelled = true;
            }
            else if (!request.HasEnded)
            {
                End(request, Cancelled());
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
            float[][] results = [];
            EngineStepException? failed = null;
            try
            {
                results = _runner.Run([.. batch.Select(item => item.Text)], length, wanted);
            }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the requests of this batch; the loop goes on.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                failed = new EngineStepException($"The model failed in a step: {fault.Message}", fault);
            }

            lock (_gate)
            {
                Settle(batch, results, failed);
            }
        }

        lock (_gate)
        {
            foreach (var request in _waiting.Values.SelectMany(queue => queue).Select(item => item.Request).Where(request => !request.HasEnded).Distinct().ToList())
            {
                End(request, Closed());
            }
        }

        _runner.Dispose();
        NativeHeap.Trim();
        _stopped.SetResult();
    }

    /// <summary>Hands out what a batch gave, and ends the requests that it made whole, that failed with it or were given up meanwhile.</summary>
    private void Settle(List<Item> batch, float[][] results, EngineStepException? failed)
    {
        for (var i = 0; failed is null && i < batch.Count; i++)
        {
            batch[i].Request.Set(batch[i].Index, results[i]);
        }

        foreach (var request in batch.Select(item => item.Request).Distinct())
        {
            request.IsInBatch = false;
            if (failed is not null || request.IsDone || request.IsCancelled)
            {
                End(request, failed is not null ? failed : request.IsDone ? null : Cancelled());
            }
        }
    }

    private void End(EncoderRequest request, Exception? fault)
    {
        // Counted out before its caller learns of the end, who may submit the next at once.
        _requests--;
        request.End(fault);
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
                        if (!item.Request.HasEnded)
                        {
                            item.Request.NoteInBatch();
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
            while (queue.TryPeek(out var item) && item.Request.HasEnded)
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

    private static OperationCanceledException Cancelled() => new("The request was cancelled.");

    /// <param name="Number">Rises with every text, so that the oldest can be told.</param>
    private sealed record Item(EncoderRequest Request, int Index, long Number)
    {
        public EncoderText Text => Request.Texts[Index];
    }
}
