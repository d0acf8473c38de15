using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Scheduling;

/// <summary>Something submitted to a loop.</summary>
internal interface IWork
{
    /// <summary>Sequences that it counts as.</summary>
    int Width { get; }

    EngineCaller Caller { get; }

    /// <summary>What was submitted, as its caller sees it.</summary>
    EngineRun Run { get; }

    bool HasEnded { get; }
}

/// <summary>
/// The rules that every loop keeps, whatever it runs: one thread does the work, a bounded number may be in it or wait for it, a
/// cancelled one ends before the next step, and everybody is told of the end, also when the loop itself ends.
/// </summary>
/// <remarks>
/// Other threads only leave commands; the abstract members run on the loop's thread alone. What a step throws past its own guard
/// ends what is at work (<see cref="TryRecover"/>); what waits goes on waiting. Where that fails too, the loop ends, and all that is in it.
/// </remarks>
internal abstract class WorkLoop<TWork>
    where TWork : class, IWork
{
    private readonly object _gate = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<Command> _taken = new();
    private Queue<Command> _incoming = new();
    private Queue<Command> _spare = new();
    private readonly IEngineObserver _observer;
    private int _alive;
    private volatile bool _signalled;
    private bool _stopping;
    private bool _closed;
    private Exception? _fault;

    protected WorkLoop(EngineOptions options, IEngineObserver observer, TimeProvider clock) => (Places, _observer) = (new EnginePlaces(options, clock), observer);

    /// <summary>Where requests get in.</summary>
    public EnginePlaces Places { get; }

    /// <summary>Completes when the thread has ended and native memory is released.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Sequences that run or wait.</summary>
    public int Alive => Volatile.Read(ref _alive);

    /// <param name="place">The place of its request; null: it takes one of its own until it ends.</param>
    /// <exception cref="EngineBusyException">It has no place, and there is none.</exception>
    /// <exception cref="EngineClosedException">The loop has ended.</exception>
    public void Submit(TWork work, EnginePlace? place)
    {
        var own = place is null ? Places.Enter(work.Caller) : null;
        work.Run.Meter.Watch(_observer);
        work.Run.CancelBy(() => Cancel(work));
        work.Run.GiveBackAtEnd(own);
        lock (_gate)
        {
            if (!_closed && !_stopping)
            {
                _alive += work.Width;
                Post(new Command(work, IsCancel: false));
                return;
            }
        }

        own?.Dispose();
        throw Closed();
    }

    /// <summary>Something outside changed that the loop waits for, such as a reader that caught up.</summary>
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

    protected void Start(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    /// <summary>Takes work into the queue.</summary>
    protected abstract void Accept(TWork work);

    /// <summary>Takes work out, wherever it stands.</summary>
    protected abstract void Remove(TWork work, Exception? fault);

    /// <summary>Does what comes next.</summary>
    /// <returns>False when there is nothing to do.</returns>
    protected abstract bool Step();

    /// <summary>All that has not ended.</summary>
    protected abstract IReadOnlyList<TWork> All();

    /// <summary>Gives native memory back; called once, last.</summary>
    protected abstract void Release();

    /// <summary>Ends work that is done or failed.</summary>
    protected void End(TWork work, Exception? fault)
    {
        if (work.HasEnded)
        {
            return;
        }

        Remove(work, fault);

        // Counted out before its caller learns of the end, who may submit the next at once.
        Forget(work);
        work.Run.End(fault);
    }

    private void Cancel(TWork work)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                Post(new Command(work, IsCancel: true));
            }
        }
    }

    private void Post(Command command)
    {
        _incoming.Enqueue(command);
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

    /// <summary>Ends what is at work after a fault that no guard caught, so that what waits can go on.</summary>
    /// <returns>False when the loop must end.</returns>
    protected abstract bool TryRecover(Exception fault);

    /// <summary>The loop ends by a fault.</summary>
    protected abstract void NoteClosed(Exception fault);

    private void Run()
    {
        while (_fault is null)
        {
            try
            {
                if (!TakeCommands())
                {
                    break;
                }

                if (!Step())
                {
                    Park();
                }
            }
#pragma warning disable CA1031 // The thread's last line of defence: everybody is told, nobody hangs.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                _fault = Recovers(fault);
            }
        }

        if (_fault is not null)
        {
            NoteClosed(_fault);
        }

        Close();
    }

    /// <returns>Why the loop must end; null when it goes on.</returns>
    private Exception? Recovers(Exception fault)
    {
        try
        {
            return TryRecover(fault) ? null : fault;
        }
#pragma warning disable CA1031 // Recovering must not end the thread before everybody is told.
        catch (Exception another)
#pragma warning restore CA1031
        {
            return new AggregateException(fault, another);
        }
    }

    /// <returns>False when the loop is to end.</returns>
    private bool TakeCommands()
    {
        if (_signalled)
        {
            lock (_gate)
            {
                _signalled = false;
                if (_stopping)
                {
                    return false;
                }

                (_incoming, _spare) = (_spare, _incoming);
            }

            while (_spare.TryDequeue(out var command))
            {
                _taken.Enqueue(command);
            }
        }

        while (_taken.TryDequeue(out var command))
        {
            Heed(command);
        }

        return true;
    }

    private void Heed(Command command)
    {
        if (command.IsCancel)
        {
            End(command.Work, new OperationCanceledException("It was cancelled."));
            return;
        }

        try
        {
            Accept(command.Work);
        }
        catch (Exception fault)
        {
            // It is in no list yet, so nobody else would tell it.
            Forget(command.Work);
            command.Work.Run.End(EngineStepException.From(fault));
            throw;
        }
    }

    private void Forget(TWork work)
    {
        lock (_gate)
        {
            _alive -= work.Width;
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

    private void Close()
    {
        List<Command> unheard;
        lock (_gate)
        {
            // From here nobody gets in.
            _closed = true;
            unheard = [.. _taken, .. _incoming];
        }

        // A fault may have come between taking a command and heeding it, so one may be in both lists.
        var fault = Closed();
        foreach (var work in All().Concat(unheard.Where(command => !command.IsCancel).Select(command => command.Work)).Distinct())
        {
            if (!work.HasEnded)
            {
                work.Run.End(fault);
            }
        }

        Release();
        NativeHeap.Trim();
        Volatile.Write(ref _alive, 0);
        _stopped.SetResult();
    }

    private readonly record struct Command(TWork Work, bool IsCancel);
}
