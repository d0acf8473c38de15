using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace LlmOs.Engine;

/// <summary>A submitted sequence: its pieces as they come, a way to stop it, what it cost.</summary>
/// <remarks>
/// Whoever submits a sequence either enumerates its pieces or cancels it: one that is never read waits for its reader,
/// in its slot, when its buffer is full.
/// </remarks>
public sealed class EngineSequence
{
    private const long NotYet = long.MinValue;

    private readonly Channel<GenerationPiece> _channel;
    private readonly Action<EngineSequence> _cancel;
    private readonly Action _wake;
    private readonly TimeProvider _clock;
    private readonly long _submitted;
    private long _started = NotYet;
    private long _first = NotYet;
    private long _last = NotYet;
    private int _cachedTokens;
    private int _unread;
    private int _cancelled;
    private int _reading;
    private volatile bool _paused;
    private volatile bool _ended;

    internal EngineSequence(GenerationRequest request, int buffer, Action<EngineSequence> cancel, Action wake, TimeProvider clock)
    {
        Request = request;
        Buffer = buffer;
        _cancel = cancel;
        _wake = wake;
        _clock = clock;
        _submitted = clock.GetTimestamp();
        _channel = Channel.CreateBounded<GenerationPiece>(new BoundedChannelOptions(buffer)
        {
            SingleReader = true,
            SingleWriter = true,
            // A reader's code must never run on the loop's thread.
            AllowSynchronousContinuations = false,
        });
    }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens => Request.PromptTokens.Length;

    /// <summary>
    /// What the sequence cost so far; final once its pieces have ended. A reader that leaves early sees the figures of that moment.
    /// </summary>
    public GenerationTimings Timings
    {
        get
        {
            var started = Volatile.Read(ref _started);
            var first = Volatile.Read(ref _first);
            var last = Volatile.Read(ref _last);
            return new GenerationTimings(
                started == NotYet ? TimeSpan.Zero : _clock.GetElapsedTime(_submitted, started),
                first == NotYet ? TimeSpan.Zero : _clock.GetElapsedTime(started, first),
                first == NotYet ? TimeSpan.Zero : _clock.GetElapsedTime(first, last),
                Volatile.Read(ref _cachedTokens));
        }
    }

    internal GenerationRequest Request { get; }

    /// <summary>Pieces the sequence may run ahead of its reader.</summary>
    internal int Buffer { get; }

    /// <summary>Whether another piece would exceed the buffer.</summary>
    internal bool IsFull => Volatile.Read(ref _unread) >= Buffer;

    /// <summary>Whether the reader has caught up enough for a paused sequence to go on.</summary>
    internal bool HasRoom => Volatile.Read(ref _unread) <= Buffer / 2;

    /// <summary>
    /// The new tokens, in order; the last piece carries the reason of the end. Can be enumerated once. Leaving or cancelling
    /// the enumeration cancels the sequence within one step.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token, or <see cref="Cancel"/>, stopped the sequence.</exception>
    /// <exception cref="EngineStepException">The model failed in a step of this sequence.</exception>
    /// <exception cref="EngineClosedException">The engine was closed meanwhile.</exception>
    public async IAsyncEnumerable<GenerationPiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _reading, 1) == 1)
        {
            throw new InvalidOperationException("The pieces of a sequence can be enumerated once; submit the request again to have them twice.");
        }

        try
        {
            while (await _channel.Reader.WaitToReadAsync(cancel).ConfigureAwait(false))
            {
                while (_channel.Reader.TryRead(out var piece))
                {
                    cancel.ThrowIfCancellationRequested();
                    NoteRead();
                    yield return piece;
                }
            }
        }
        finally
        {
            Cancel();
        }
    }

    /// <summary>
    /// Stops the sequence within one step. Who still reads gets the pieces made so far, then an
    /// <see cref="OperationCanceledException"/>. Does nothing once the sequence has ended.
    /// </summary>
    public void Cancel()
    {
        if (!_ended && Interlocked.Exchange(ref _cancelled, 1) == 0)
        {
            _cancel(this);
        }
    }

    internal void NoteStarted() => Volatile.Write(ref _started, _clock.GetTimestamp());

    internal void NoteCached(int tokens) => Volatile.Write(ref _cachedTokens, tokens);

    /// <summary>Hands a piece to the reader; the loop asks <see cref="IsFull"/> first.</summary>
    internal void Write(GenerationPiece piece)
    {
        var now = _clock.GetTimestamp();
        Volatile.Write(ref _last, now);
        if (_first == NotYet)
        {
            Volatile.Write(ref _first, now);
        }

        Interlocked.Increment(ref _unread);
        if (!_channel.Writer.TryWrite(piece))
        {
            throw new InvalidOperationException("A piece was made for a sequence whose buffer is full.");
        }
    }

    internal void End(Exception? fault)
    {
        _ended = true;
        _channel.Writer.TryComplete(fault);
    }

    internal void SetPaused(bool paused)
    {
        _paused = paused;
        // The loop looks at the unread count again after this; the reader looks at the flag after lowering the count.
        // One of the two therefore sees the other's change, and no wake-up is lost.
        Interlocked.MemoryBarrier();
    }

    private void NoteRead()
    {
        var unread = Interlocked.Decrement(ref _unread);
        if (_paused && unread <= Buffer / 2)
        {
            _wake();
        }
    }
}
