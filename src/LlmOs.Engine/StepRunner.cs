using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>Carries a plan out: moves what the cache holds, runs the model, and hands the logits to those who asked for them.</summary>
/// <param name="end">Ends a group, with the fault that it met.</param>
/// <param name="sampler">Its work space is the loop's.</param>
internal sealed class StepRunner(IModelRunner runner, SlotCache cache, Scheduler scheduler, Sampler sampler, StepCounters counters, Action<SequenceGroup, Exception?> end)
{
    private readonly int[] _ids = new int[cache.Slots];
    private readonly int[] _past = new int[cache.Slots];
    private readonly Sequence[] _inStep = new Sequence[cache.Slots];
    private int[] _chunkRows = [];
    private Exception? _failed;

    /// <returns>What the model threw in this step, whose groups have ended by it; null when all went well.</returns>
    public Exception? Run(in StepPlan plan)
    {
        _failed = null;
        Save(plan);
        scheduler.Admit(plan);
        Restore(plan);
        scheduler.Arrange(plan);
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

        counters.NoteStep();
        return _failed;
    }

    /// <summary>Brings forks into their slots, and takes the groups that give theirs up out of the cache.</summary>
    private void Save(in StepPlan plan)
    {
        foreach (var copy in plan.Forks)
        {
            Copy(copy);
        }

        foreach (var slot in plan.Preempted)
        {
            var group = scheduler.SequenceIn(slot).Group;
            try
            {
                foreach (var member in group.Members.Where(member => member.Past > 0))
                {
                    member.Saved = cache.Save(member.Slot, member.Past);
                }

                counters.NotePreempted();
            }
            catch (EngineMemoryException fault)
            {
                end(group, fault);
            }
        }
    }

    private void Restore(in StepPlan plan)
    {
        foreach (var admission in plan.Admissions)
        {
            foreach (var placement in admission.Placements)
            {
                var sequence = scheduler.SequenceIn(placement.Slot);
                if (sequence.Saved is { } saved)
                {
                    cache.Restore(saved, placement.Slot);
                    saved.Dispose();
                    sequence.Saved = null;
                }
            }
        }
    }

    private void Move(in StepPlan plan)
    {
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
            _failed = thrown;
            end(group, EngineStepException.From(thrown));
            return;
        }

        scheduler.Advanced(sequence, chunk.Count);
        counters.NotePrompt(chunk.Count);
        group.Run.Meter.NotePrompt(group.TokensRead, group.Cached);
        if (chunk.Rows != LogitRows.None && chunk.Start + chunk.Count > group.Kind.RowsFrom && !TakesRows(group, chunk))
        {
            return;
        }

        if (chunk.IsLast)
        {
            counters.NoteCached(group.Cached);
            group.Run.Meter.NotePromptRead();
            Array.Fill(group.Rows, chunk.Rows == LogitRows.All ? chunk.Count - 1 : 0); // the prompt's last token, for every member
            HandOut(group);
        }
    }

    /// <summary>Hands a chunk's own logits to a group that wants them.</summary>
    /// <returns>False when the group ended by it.</returns>
    private bool TakesRows(SequenceGroup group, PrefillChunk chunk)
    {
        var count = chunk.Rows == LogitRows.All ? chunk.Count : 1;
        if (_chunkRows.Length < count)
        {
            _chunkRows = [.. Enumerable.Range(0, count)];
        }

        try
        {
            group.Kind.OnPrefill(chunk.Start + chunk.Count - count, new RowLogits(runner, _chunkRows.AsSpan(0, count)), sampler);
            return true;
        }
#pragma warning disable CA1031 // What a kind makes of its logits is its own affair: no other group pays for it.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            end(group, EngineStepException.From(thrown));
            return false;
        }
    }

    private void Compute(SequenceGroup group, PrefillChunk chunk)
    {
        cache.Prepare(chunk.Slot, chunk.Start + chunk.Count);
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
            cache.Prepare(row, sequence.Past);
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
            _failed = thrown;
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
            outcome = group.Kind.OnLogits(new RowLogits(runner, group.Rows), sampler, group.Next);
        }
        catch (EngineChoiceException none)
        {
            end(group, none);
            return;
        }
#pragma warning disable CA1031 // What a kind makes of its logits is its own affair: no other group pays for it.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            end(group, EngineStepException.From(thrown));
            return;
        }

        counters.NoteGenerated(outcome.Made);
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
