using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>Carries a plan out: moves what the cache holds, runs the model, and hands the logits to those who asked for them.</summary>
/// <param name="end">Ends a group, with the fault that it met.</param>
internal sealed class StepRunner(IModelRunner runner, SlotCache cache, Scheduler scheduler, int vocabulary, Action<SequenceGroup, Exception?> end)
{
    private readonly Sampler _sampler = new(vocabulary);
    private readonly int[] _ids = new int[cache.Slots];
    private readonly int[] _past = new int[cache.Slots];
    private readonly Sequence[] _inStep = new Sequence[cache.Slots];
    private int[] _chunkRows = [];
    private long _steps;
    private long _promptTokens;
    private long _cachedTokens;
    private long _generatedTokens;

    /// <summary>Steps run. This and the other counters may be read on any thread.</summary>
    public long Steps => Volatile.Read(ref _steps);

    public long PromptTokens => Volatile.Read(ref _promptTokens);

    public long CachedTokens => Volatile.Read(ref _cachedTokens);

    public long GeneratedTokens => Volatile.Read(ref _generatedTokens);

    public void Run(in StepPlan plan)
    {
        scheduler.Apply(plan);
        Move(plan);
        if (plan.Prefill is { } chunk)
        {
            RunPrefill(chunk);
        }

        // A group whose prompt ends here decodes from the next step on; nobody changes slots before that.
        if (plan.DecodeRows > 0)
        {
            RunDecode(plan.DecodeRows);
        }

        Volatile.Write(ref _steps, _steps + 1);
    }

    private void Move(in StepPlan plan)
    {
        foreach (var copy in plan.Forks)
        {
            Copy(copy);
        }

        foreach (var (a, tokensA, b, tokensB) in plan.Exchanges)
        {
            cache.Exchange(a, tokensA, b, tokensB);
        }

        if (plan.Prefix is { } prefix)
        {
            Copy(prefix);
        }
    }

    private void Copy(SlotCopy copy)
    {
        if (copy.Start == 0)
        {
            cache.CopySource(copy.From, copy.To);
        }

        cache.CopyTokens(copy.From, copy.To, copy.Start, copy.End);
    }

    private void RunPrefill(PrefillChunk chunk)
    {
        var sequence = scheduler.SequenceIn(chunk.Slot);
        var group = sequence.Group;
        try
        {
            Compute(group, chunk);
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to this group; the loop goes on.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            end(group, EngineStepException.From(thrown));
            return;
        }

        scheduler.Advanced(sequence, chunk.Count);
        Volatile.Write(ref _promptTokens, _promptTokens + chunk.Count);
        group.Run.Meter.NotePrompt(group.TokensRead, group.Cached);
        if (chunk.Rows == LogitRows.All)
        {
            group.Kind.OnPrefill(chunk.Start, new RowLogits(runner, RowsOf(chunk)));
        }

        if (chunk.IsLast)
        {
            Volatile.Write(ref _cachedTokens, _cachedTokens + group.Cached);
            Array.Fill(group.Rows, chunk.Rows == LogitRows.All ? chunk.Count - 1 : 0); // the prompt's last token, for every member
            HandOut(group);
        }
    }

    /// <summary>The rows of a chunk whose logits are all wanted: 0, 1, ...</summary>
    private ReadOnlySpan<int> RowsOf(PrefillChunk chunk)
    {
        if (_chunkRows.Length < chunk.Count)
        {
            _chunkRows = [.. Enumerable.Range(0, chunk.Count)];
        }

        return _chunkRows.AsSpan(0, chunk.Count);
    }

    private void Compute(SequenceGroup group, PrefillChunk chunk)
    {
        if (chunk.Start == 0 && group.Source.Length > 0)
        {
            runner.RunSource(chunk.Slot, group.Source);
        }

        runner.RunPrefill(chunk.Slot, chunk.Start, group.Tokens.AsSpan(chunk.Start, chunk.Count), chunk.Rows);
    }

    private void RunDecode(int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            var sequence = scheduler.SequenceIn(row);
            (_inStep[row], _ids[row], _past[row]) = (sequence, sequence.LastToken, sequence.Past);
            sequence.Past++;
        }

        EngineStepException? fault = null;
        try
        {
            runner.RunDecode(_ids.AsSpan(0, rows), _past.AsSpan(0, rows));
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the groups of this step; the loop goes on.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            fault = EngineStepException.From(thrown);
        }

        for (var row = 0; row < rows; row++)
        {
            var group = _inStep[row].Group;
            if (!group.NoteRow(_inStep[row], row))
            {
                continue; // a member of it is in a later row
            }

            if (fault is not null)
            {
                end(group, fault);
            }
            else
            {
                HandOut(group);
            }
        }
    }

    /// <summary>Gives a group its logits, and lets it go on, wait or end.</summary>
    private void HandOut(SequenceGroup group)
    {
        LogitsOutcome outcome;
        try
        {
            outcome = group.Kind.OnLogits(new RowLogits(runner, group.Rows), _sampler, group.Next);
        }
        catch (EngineStepException fault)
        {
            end(group, fault);
            return;
        }

        Volatile.Write(ref _generatedTokens, _generatedTokens + outcome.Made);
        if (outcome.IsDone)
        {
            end(group, null);
            return;
        }

        scheduler.GoOn(group);
        if (group.Kind.IsFull)
        {
            group.Pause();
        }
    }
}
