using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace LlmOs.Engine;

/// <summary>A submitted sequence: its pieces as they come.</summary>
/// <remarks>
/// Who still reads a sequence that was cancelled gets the pieces made so far, then an <see cref="OperationCanceledException"/>.
/// Whoever submits a sequence either enumerates its pieces or cancels it: one that is never read waits for its reader,
/// in its slot, when its buffer is full.
/// </remarks>
public sealed class EngineSequence : EngineRun
{
    private readonly Channel<GenerationPiece> _channel;
    private readonly Action _wake;
    private int _unread;
    private int _reading;
    private bool _hasAllTokens;
    private volatile bool _paused;

    internal EngineSequence(GenerationRequest request, int buffer, Action wake, TimeProvider clock)
        : base(clock)
    {
        Request = request;
        Buffer = buffer;
        _wake = wake;
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
    /// <exception cref="OperationCanceledException">The token, or <see cref="EngineRun.Cancel"/>, stopped the sequence.</exception>
    /// <exception cref="EngineStepException">The model failed in a step of this sequence.</exception>
    /// <exception cref="EngineChoiceException">The request's rules ban every token.</exception>
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

    /// <summary>Hands a piece to the reader; the loop asks <see cref="IsFull"/> first.</summary>
    internal void Write(GenerationPiece piece)
    {
        _hasAllTokens = piece.Finish == FinishReason.Length;

        // Counted before it can be read.
        Meter.NoteMade(1);
        Interlocked.Increment(ref _unread);
        if (!_channel.Writer.TryWrite(piece))
        {
            throw new InvalidOperationException("A piece was made for a sequence whose buffer is full.");
        }
    }

    private protected override bool HasAllTokens => _hasAllTokens;

    private protected override void Tell(Exception? fault) => _channel.Writer.TryComplete(fault);

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
