using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>
/// One thread that plans a step, runs it, chooses tokens and hands them out, as long as there is work, and sleeps otherwise.
/// </summary>
/// <remarks>
/// Other threads only leave commands; everything below the line "the loop's thread" is touched by that thread alone.
/// A step that throws ends the sequences in it. Whatever else throws ends the loop, and every sequence with it.
/// </remarks>
internal sealed class EngineLoop
{
    private readonly IModelRunner _runner;
    private readonly SlotCache _cache;
    private readonly int _vocabulary;
    private readonly int _mostSequences;
    private readonly int _maxQueued;
    private readonly int _chunk;

    private readonly object _gate = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Command> _incoming = [];
    private int _alive;
    private volatile bool _signalled;
    private bool _stopping;
    private bool _closed;
    private Exception? _fault;

    // The loop's thread.
    private readonly Scheduler _scheduler;
    private readonly Sampler _sampler;
    private readonly int[] _ids;
    private readonly int[] _past;
    private readonly Exception?[] _faults;
    private readonly FinishReason?[] _finished;
    private readonly List<BeamGroup> _groups = []; // those that take part in the step
    private readonly Action<Sequence> _admitted;
    private readonly Action<Sequence> _resumed;
    private List<Command> _taken = [];
    private long _steps;
    private long _promptTokens;
    private long _cachedTokens;
    private long _generatedTokens;
    private Gauges _gauges = new(0, 0, 0, 0);

    /// <param name="runner">Disposed of by the loop, as is the cache.</param>
    public EngineLoop(IModelRunner runner, SlotCache cache, int vocabulary, EngineOptions options, string name)
    {
        _runner = runner;
        _cache = cache;
        _vocabulary = vocabulary;
        _chunk = options.PrefillChunk;
        _maxQueued = options.MaxQueued;
        _mostSequences = cache.Slots + options.MaxQueued;
        _scheduler = new Scheduler(cache, options.PrefillChunk);
        _sampler = new Sampler(vocabulary);
        _ids = new int[cache.Slots];
        _past = new int[cache.Slots];
        _faults = new Exception?[cache.Slots];
        _finished = new FinishReason?[cache.Slots];
        _admitted = Admitted;
        _resumed = sequence => sequence.Output!.SetPaused(false);
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Completes when the thread has ended and native memory is released.</summary>
    public Task Stopped => _stopped.Task;

    /// <exception cref="EngineBusyException">There are as many sequences as there may be.</exception>
    /// <exception cref="EngineClosedException">The loop has ended.</exception>
    public void Submit(Sequence sequence)
    {
        lock (_gate)
        {
            if (_closed || _stopping)
            {
                throw Closed();
            }

            if (_alive + sequence.Width > _mostSequences)
            {
                throw new EngineBusyException(_cache.Slots, _maxQueued);
            }

            _alive += sequence.Width;
            Post(new Command(sequence, Cancel: false));
        }
    }

    public void Cancel(Sequence sequence) => PostUnlessClosed(new Command(sequence, Cancel: true));

    /// <summary>A reader caught up; the loop looks at its paused sequences.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            Signal();
        }
    }

    /// <summary>Ends the loop after the step it is in.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Signal();
        }
    }

    public EngineSnapshot Snapshot()
    {
        var gauges = Volatile.Read(ref _gauges);
        return new EngineSnapshot(
            gauges.Running,
            gauges.Prompts,
            gauges.Paused,
            Math.Max(0, Volatile.Read(ref _alive) - gauges.SlotsInUse),
            gauges.SlotsInUse,
            _cache.Slots,
            Volatile.Read(ref _promptTokens),
            Volatile.Read(ref _cachedTokens),
            Volatile.Read(ref _generatedTokens),
            Volatile.Read(ref _steps));
    }

    private void PostUnlessClosed(Command command)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                Post(command);
            }
        }
    }

    private void Post(Command command)
    {
        _incoming.Add(command);
        Signal();
    }

    private void Signal()
    {
        _signalled = true;
        Monitor.Pulse(_gate);
    }

    private EngineClosedException Closed() => _fault is null
        ? new EngineClosedException("The model was unloaded; load it again to use it.")
        : new EngineClosedException("The model's engine ended by a fault; load the model again.", _fault);

    private void Run()
    {
        try
        {
            while (TakeCommands())
            {
                _scheduler.ResumeReaders(_resumed);
                _scheduler.Admit(_admitted);
                var plan = _scheduler.Plan();
                if (!plan.IsEmpty)
                {
                    Step(plan);
                }

                Publish();
                if (plan.IsEmpty)
                {
                    Park();
                }
            }
        }
#pragma warning disable CA1031 // The thread's last line of defence: every sequence is told, none hangs.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            _fault = fault;
        }

        Close();
    }

    /// <returns>False when the loop is to end.</returns>
    private bool TakeCommands()
    {
        if (!_signalled)
        {
            return true;
        }

        lock (_gate)
        {
            _signalled = false;
            if (_stopping)
            {
                return false;
            }

            (_incoming, _taken) = (_taken, _incoming);
        }

        foreach (var command in _taken)
        {
            Obey(command);
        }

        _taken.Clear();
        return true;
    }

    private void Obey(Command command)
    {
        if (!command.Cancel)
        {
            _scheduler.Add(command.Sequence);
        }
        else if (command.Sequence.State != SequenceState.Ended)
        {
            EndAll(command.Sequence, new OperationCanceledException("The sequence was cancelled."));
        }
    }

    private void Park()
    {
        lock (_gate)
        {
            // A pause that came with the last step may already be over: the reader's signal is kept in the flag.
            while (!_signalled)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Admitted(Sequence sequence) => sequence.Run.Meter.NoteStarted();

    private void Step(StepPlan plan)
    {
        // A sequence that ends its prompt here decodes from the next step on, so the rows planned stay where they are.
        if (plan.HasPrompt)
        {
            RunPrompt(_scheduler.PromptAt(plan.Prompt), plan);
        }

        if (plan.DecodeRows > 0)
        {
            RunDecode(plan.DecodeRows);
        }

        Volatile.Write(ref _steps, _steps + 1);
    }

    private void RunPrompt(Sequence sequence, StepPlan plan)
    {
        var fault = RunGuarded(sequence, plan);
        if (fault is not null)
        {
            EndAll(sequence, fault);
            return;
        }

        _scheduler.PromptAdvanced(sequence, plan.Count);
        Volatile.Write(ref _promptTokens, _promptTokens + plan.Count);
        NoteRead(sequence);
        if (sequence.Logits is { } logits)
        {
            CopyRows(logits, plan);
        }

        if (plan.IsLast)
        {
            EndPrompt(sequence);
        }
    }

    private EngineStepException? RunGuarded(Sequence sequence, StepPlan plan)
    {
        var rows = sequence.Logits is not null ? LogitRows.All : plan.IsLast ? LogitRows.Last : LogitRows.None;
        try
        {
            if (plan.Start == 0 && sequence.Source.Length > 0)
            {
                _runner.RunSource(sequence.Slot, sequence.Source);
            }

            _runner.RunPrompt(sequence.Slot, plan.Start, sequence.Tokens.AsSpan(plan.Start, plan.Count), rows);
            return null;
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to this sequence; the loop goes on.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return StepFailed(fault);
        }
    }

    /// <summary>The start token of an encoder-decoder's text is nobody's: it does not count.</summary>
    private static void NoteRead(Sequence sequence) => sequence.Run.Meter.NotePrompt(
        sequence.Source.Length == 0 ? sequence.Past : sequence.Source.Length + sequence.Past - 1, sequence.Cached);

    private void CopyRows(float[] result, StepPlan plan)
    {
        for (var row = 0; row < plan.Count; row++)
        {
            _runner.Logits(row).CopyTo(result.AsSpan((plan.Start + row) * _vocabulary, _vocabulary));
        }
    }

    private void EndPrompt(Sequence sequence)
    {
        if (sequence.Group is { } group)
        {
            BeginBeams(sequence, group);
            return;
        }

        if (sequence.Output is null)
        {
            End(sequence, fault: null);
            return;
        }

        Volatile.Write(ref _cachedTokens, _cachedTokens + sequence.Cached);
        var (finish, fault) = Commit(sequence, row: 0);
        if (finish is null && fault is null)
        {
            _scheduler.Join(sequence);
            PauseIfFull(sequence);
        }
        else
        {
            End(sequence, fault);
        }
    }

    /// <summary>The prompt of a beam search is done: every beam gets a copy of it and goes its own way.</summary>
    private void BeginBeams(Sequence first, BeamGroup group)
    {
        Volatile.Write(ref _cachedTokens, _cachedTokens + first.Cached);
        if (AdvanceBeams(group, _ => _runner.Logits(0)) is { } fault)
        {
            EndAll(first, fault);
            return;
        }

        if (group.Search.IsDone)
        {
            EndAll(first, fault: null);
            return;
        }

        for (var beam = 0; beam < group.Members.Length; beam++)
        {
            var member = group.Members[beam];
            _cache.CopySource(first.Slot, member.Slot);
            _cache.CopyTokens(first.Slot, member.Slot, 0, first.Past);
            member.Past = first.Past;
            member.LastToken = group.Search.Tokens[beam];
        }

        foreach (var member in group.Members)
        {
            _scheduler.Join(member);
        }
    }

    private EngineStepException? AdvanceBeams(BeamGroup group, BeamLogits logits)
    {
        try
        {
            group.Search.Advance(logits);
            group.Run.Meter.NoteMade(group.Members.Length);
            Volatile.Write(ref _generatedTokens, _generatedTokens + group.Members.Length);
            return null;
        }
        catch (EngineStepException fault)
        {
            return fault;
        }
    }

    /// <summary>Lets the beam searches of a decode step choose how they go on.</summary>
    private void CommitGroups()
    {
        foreach (var group in _groups)
        {
            var fault = AdvanceBeams(group, beam => _runner.Logits(group.Rows[beam]));
            if (fault is null && !group.Search.IsDone)
            {
                // Up to the prompt's end all of them hold the same.
                group.Reorder((from, to) => _cache.CopyTokens(from.Slot, to.Slot, from.Tokens.Length, from.Past));
                continue;
            }

            foreach (var row in group.Rows)
            {
                (_finished[row], _faults[row]) = (FinishReason.Stop, fault);
            }
        }

        _groups.Clear();
    }

    private void RunDecode(int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            var sequence = _scheduler.RunningAt(row);
            _ids[row] = sequence.LastToken;
            _past[row] = sequence.Past;
        }

        Exception? fault = null;
        try
        {
            _runner.RunDecode(_ids.AsSpan(0, rows), _past.AsSpan(0, rows));
        }
#pragma warning disable CA1031 // Whatever the runtime throws belongs to the sequences of this step; the loop goes on.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            fault = StepFailed(thrown);
        }

        for (var row = 0; row < rows; row++)
        {
            var sequence = _scheduler.RunningAt(row);
            sequence.Past++;
            if (sequence.Group is not { } group || fault is not null)
            {
                (_finished[row], _faults[row]) = fault is null ? Commit(sequence, row) : (null, fault);
                continue;
            }

            (_finished[row], _faults[row]) = (null, null);
            group.Rows[Array.IndexOf(group.Members, sequence)] = row;
            if (!_groups.Contains(group))
            {
                _groups.Add(group);
            }
        }

        CommitGroups();

        // From the last row down: what fills a hole has then already been looked at.
        for (var row = rows - 1; row >= 0; row--)
        {
            var sequence = _scheduler.RunningAt(row);
            if (_finished[row] is not null || _faults[row] is not null)
            {
                End(sequence, _faults[row]);
            }
            else
            {
                PauseIfFull(sequence);
            }

            _faults[row] = null;
        }
    }

    /// <summary>Chooses the next token from a row of the last run and hands it out.</summary>
    private (FinishReason? Finish, Exception? Fault) Commit(Sequence sequence, int row)
    {
        ChosenToken chosen;
        try
        {
            chosen = _sampler.Choose(_runner.Logits(row), sequence.Choice!, sequence.NewTokens);
        }
        catch (EngineStepException fault)
        {
            return (null, fault);
        }

        sequence.LastToken = chosen.Token;
        sequence.NewTokens++;
        sequence.Choice!.Add(chosen.Token);
        var output = sequence.Output!;
        var finish = Contains(output.Request.EndTokens, chosen.Token) ? FinishReason.Stop
            : sequence.NewTokens >= sequence.MaxNew ? FinishReason.Length
            : (FinishReason?)null;
        output.Write(new GenerationPiece(chosen.Token, chosen.Logprob, chosen.Top, finish));
        Volatile.Write(ref _generatedTokens, _generatedTokens + 1);
        return (finish, null);
    }

    private void PauseIfFull(Sequence sequence)
    {
        if (sequence.Output is { IsFull: true })
        {
            _scheduler.Pause(sequence);
            sequence.Output!.SetPaused(true);
        }
    }

    /// <summary>Ends a sequence, and with a beam the whole search.</summary>
    private void EndAll(Sequence sequence, Exception? fault)
    {
        foreach (var member in sequence.Group?.Members ?? [sequence])
        {
            End(member, fault);
        }
    }

    private void End(Sequence sequence, Exception? fault)
    {
        _scheduler.Remove(sequence, contentsAreSound: fault is not EngineStepException);

        // Counted out before its reader learns of the end, who may submit the next at once.
        lock (_gate)
        {
            _alive--;
        }

        Tell(sequence, fault);
    }

    private static void TellAll(Sequence sequence, Exception? fault)
    {
        foreach (var member in sequence.Group?.Members ?? [sequence])
        {
            Tell(member, fault);
        }
    }

    private static void Tell(Sequence sequence, Exception? fault)
    {
        if (sequence.Group is { } group)
        {
            group.NoteEnded(fault);
        }
        else
        {
            sequence.Run.End(fault);
        }
    }

    private void Publish()
    {
        if (_gauges.Running != _scheduler.Running || _gauges.Prompts != _scheduler.Prompts || _gauges.Paused != _scheduler.Paused || _gauges.SlotsInUse != _cache.Taken)
        {
            Volatile.Write(ref _gauges, new Gauges(_scheduler.Running, _scheduler.Prompts, _scheduler.Paused, _cache.Taken));
        }
    }

    private void Close()
    {
        List<Command> unheard;
        lock (_gate)
        {
            // From here nobody gets in.
            _closed = true;
            unheard = [.. _taken, .. _incoming];
        }

        var fault = Closed();
        foreach (var sequence in _scheduler.All())
        {
            if (sequence.State == SequenceState.Waiting)
            {
                TellAll(sequence, fault); // the other members of a group do not wait with it
            }
            else
            {
                Tell(sequence, fault);
            }
        }

        foreach (var command in unheard)
        {
            if (command is { Cancel: false, Sequence: var sequence })
            {
                TellAll(sequence, fault);
            }
        }

        _runner.Dispose();
        _cache.Dispose();
        NativeHeap.Trim();
        Volatile.Write(ref _gauges, new Gauges(0, 0, 0, 0));
        Volatile.Write(ref _alive, 0);
        _stopped.SetResult();
    }

    private static EngineStepException StepFailed(Exception fault) =>
        new($"The model failed in a step: {fault.Message}", fault);

    private static bool Contains(IReadOnlyList<int> tokens, int token)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i] == token)
            {
                return true;
            }
        }

        return false;
    }

    private readonly record struct Command(Sequence Sequence, bool Cancel);

    private sealed record Gauges(int Running, int Prompts, int Paused, int SlotsInUse);
}
