using System.Runtime.InteropServices;

namespace LlmOs.Cli;

/// <summary>
/// Ctrl-C and SIGTERM. A running reply takes the first Ctrl-C; otherwise the whole command is cancelled.
/// While the program waits for a line nothing of its own is running, so the signal ends it as usual.
/// </summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _all = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private volatile CancellationTokenSource? _reply;
    private volatile bool _waiting;

    public Interrupts()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    }

    /// <summary>Cancelled when the command is to end.</summary>
    public CancellationToken Token => _all.Token;

    /// <summary>Runs one reply; true when Ctrl-C stopped it.</summary>
    public async Task<bool> StoppedAsync(Func<CancellationToken, Task> reply)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(_all.Token);
        _reply = source;
        try
        {
            await reply(source.Token);
            return false;
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested && !_all.IsCancellationRequested)
        {
            return true;
        }
        finally
        {
            _reply = null;
        }
    }

    /// <summary>Reads a line; null at the end of the input.</summary>
    public string? ReadLine(TextReader input)
    {
        _waiting = true;
        try
        {
            return input.ReadLine();
        }
        finally
        {
            _waiting = false;
        }
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _all.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_waiting)
        {
            return;
        }

        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && _reply is { } reply)
        {
            reply.Cancel();
        }
        else
        {
            _all.Cancel();
        }
    }
}
