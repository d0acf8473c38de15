using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Scheduling;

/// <summary>Something submitted to a loop.</summary>
internal interface IWork
{
    /// <summary>Places that it takes: of the slots and the queue together there are so many.</summary>
    int Width { get; }

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
/// ends the loop, and all that is in it.
/// </remarks>
internal abstract class WorkLoop<TWork>
    where TWork : class, IWork
{
    private readonly int _slots;
    private readonly int _maxQueued;
    private readonly object _gate = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Command> _incoming = [];
    private List<Command> _taken = [];
    private int _alive;
    private volatile bool _signalled;
    private bool _stopping;
    private bool _closed;
    private Exception? _fault;

    protected WorkLoop(EngineOptions options) => (_slots, _maxQueued) = (options.Slots, options.MaxQueued);

    /// <summary>Completes when the thread has ended and native memory is released.</summary>
    public Task Stopped => _stopped.Task;

    /// <summary>Places taken by what runs or waits.</summary>
    public int Alive => Volatile.Read(ref _alive);

    /// <exception cref="EngineBusyException">There is as much work as there may be.</exception>
    /// <exception cref="EngineClosedException">The loop has ended.</exception>
    public void Submit(TWork work)
    {
        work.Run.CancelBy(() => Cancel(work));
        lock (_gate)
        {
            if (_closed || _stopping)
            {
                throw Closed();
            }

            if (_alive + work.Width > _slots + _maxQueued)
            {
                throw new EngineBusyException(_slots, _maxQueued);
            }

            _alive += work.Width;
            Post(new Command(work, IsCancel: false));
        }
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
        lock (_gate)
        {
            _alive -= work.Width;
        }

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
                if (!Step())
                {
                    Park();
                }
            }
        }
#pragma warning disable CA1031 // The thread's last line of defence: everybody is told, nobody hangs.
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

        foreach (var (work, isCancel) in _taken)
        {
            if (isCancel)
            {
                End(work, new OperationCanceledException("It was cancelled."));
            }
            else
            {
                Accept(work);
            }
        }

        _taken.Clear();
        return true;
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
