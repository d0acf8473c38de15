using LlmOs.Engine.Execution;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>The loop of an encoder: runs waiting texts in batches, as <see cref="BatchOrder"/> says.</summary>
/// <remarks>A batch that throws ends the requests in it.</remarks>
internal sealed class EncoderLoop : WorkLoop<EncoderRequest>
{
    /// <summary>Tokens of a batch, padding among them: enough to fill the processor, little enough for its caches.</summary>
    private const int BatchTokens = 4096;

    private readonly IEncoderRunner _runner;
    private readonly EncoderQueues _queues = new();

    /// <param name="runner">Disposed of by the loop.</param>
    public EncoderLoop(IEncoderRunner runner, EngineOptions options, string name)
        : base(options)
    {
        _runner = runner;
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
        var plan = BatchOrder.Next(_queues.Snapshot(), BatchTokens);
        if (plan.Count == 0)
        {
            return false;
        }

        var batch = _queues.Take(plan, out var length, out var wanted);
        foreach (var item in batch)
        {
            item.Request.NoteInBatch();
        }

        float[][] results;
        try
        {
            results = _runner.Run([.. batch.Select(item => item.Text)], length, wanted);
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the requests of this batch; the loop goes on.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            var fault = EngineStepException.From(thrown);
            Array.ForEach(batch, item => End(item.Request, fault));
            return true;
        }

        for (var i = 0; i < batch.Length; i++)
        {
            batch[i].Request.Set(batch[i].Index, results[i]);
            if (batch[i].Request.IsDone)
            {
                End(batch[i].Request, fault: null);
            }
        }

        return true;
    }

    protected override void Release() => _runner.Dispose();
}
