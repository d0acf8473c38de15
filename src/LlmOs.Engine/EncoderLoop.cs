using LlmOs.Engine.Execution;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>The loop of an encoder: runs waiting texts in batches, as <see cref="BatchOrder"/> says.</summary>
/// <remarks>A batch that throws is run again, each request by itself, so that only those end whose own texts are at fault.</remarks>
internal sealed class EncoderLoop : WorkLoop<EncoderRequest>
{
    /// <summary>Tokens of a batch, padding among them: enough to fill the processor, little enough for its caches.</summary>
    private const int BatchTokens = 1024;

    /// <summary>The same while several callers are at work: a text that comes now waits for the batch that runs.</summary>
    private const int SharedBatchTokens = 128;

    private readonly IEncoderRunner _runner;
    private readonly EncoderQueues _queues;
    private readonly IEngineObserver _observer;

    /// <param name="runner">Disposed of by the loop.</param>
    public EncoderLoop(IEncoderRunner runner, EngineOptions options, string name, IEngineObserver observer, TimeProvider clock)
        : base(options, observer, clock)
    {
        (_runner, _queues, _observer) = (runner, new EncoderQueues(clock), observer);
        Start(name);
    }

    protected override void Accept(EncoderRequest work) => _queues.Add(work, _runner.PaddedLength);

    protected override void Remove(EncoderRequest work, Exception? fault)
    {
        _queues.Remove(work);
        work.NoteEnded();
    }

    protected override IReadOnlyList<EncoderRequest> All() => [.. _queues.Requests];

    protected override bool Step()
    {
        var plan = _queues.Plan(_queues.IsShared ? SharedBatchTokens : BatchTokens);
        if (plan.IsEmpty)
        {
            return false;
        }

        var batch = _queues.Take(plan, out var length, out var wanted);
        foreach (var item in batch)
        {
            item.Request.NoteInBatch();
        }

        var first = Run(batch, length, wanted);
        _observer.Stepped(batch.Length, batch.Sum(item => item.Text.Ids.Length));
        if (first is not { } fault)
        {
            return true;
        }

        var requests = batch.GroupBy(item => item.Request).ToList();
        foreach (var request in requests)
        {
            var own = requests.Count == 1 ? fault : Run([.. request], length, wanted);
            if (own is not null)
            {
                End(request.Key, own);
                _observer.Failed(own, ended: 1);
            }
        }

        return true;
    }

    protected override bool TryRecover(Exception fault)
    {
        // Nothing is at work between two batches; a fault there is one of the queue itself.
        _observer.Failed(fault, _queues.Requests.Count);
        return false;
    }

    protected override void NoteClosed(Exception fault) => _observer.Closed(fault);

    protected override void Release() => _runner.Dispose();

    /// <returns>What was thrown; null when all went well.</returns>
    private EngineStepException? Run(EncoderItem[] batch, int length, EncoderOutput wanted)
    {
        float[][] results;
        try
        {
            results = _runner.Run([.. batch.Select(item => item.Text)], length, wanted);
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the requests of this batch; the loop goes on.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            return EngineStepException.From(thrown);
        }

        for (var i = 0; i < batch.Length; i++)
        {
            batch[i].Request.Set(batch[i].Index, results[i]);
            if (batch[i].Request.IsDone)
            {
                End(batch[i].Request, fault: null);
            }
        }

        return null;
    }
}
