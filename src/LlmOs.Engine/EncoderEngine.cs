using LlmOs.Engine.Execution;

namespace LlmOs.Engine;

/// <summary>What is wanted of an encoder.</summary>
public enum EncoderOutput
{
    /// <summary>The last state of each token: [tokens, hidden].</summary>
    States,

    /// <summary>The state of each token that sentences are made of: [tokens, hidden]; where it is not the last one.</summary>
    SentenceStates,

    /// <summary>The pooled state: [hidden]; for models that have a pooler.</summary>
    Pooled,

    /// <summary>The vector of the whole text that the graph itself makes: [width].</summary>
    Sentence,

    /// <summary>The head's scores; their shape is the head's (<see cref="EncoderHead"/>): [labels], [tokens, labels], [tokens, 2] or [places, vocabulary].</summary>
    Logits,
}

/// <summary>One text for an encoder.</summary>
/// <param name="Ids">At least one, all below the vocabulary, at most as many as the model's limit.</param>
/// <param name="Types">Segment of each token; null: all 0.</param>
/// <param name="Places">Tokens whose scores are wanted, where the head scores every word of the vocabulary.</param>
public sealed record EncoderText(int[] Ids, int[]? Types = null, int[]? Places = null);

/// <summary>
/// A loaded encoder. Texts of all callers that wait are run together when they are of one padded length: a text's numbers depend
/// on nothing but the text. Safe on any thread.
/// </summary>
public sealed class EncoderEngine : IAsyncDisposable
{
    private readonly EncoderLoop _loop;
    private readonly TimeProvider _clock;

    internal EncoderEngine(EncoderLoop loop, EncoderShape shape, string device, long memoryBytes, TimeProvider clock)
    {
        _loop = loop;
        _clock = clock;
        (Shape, Device, MemoryBytes) = (shape, device, memoryBytes);
    }

    public EncoderShape Shape { get; }

    /// <summary><c>cpu</c> or <c>cuda:0</c>.</summary>
    public string Device { get; }

    /// <summary>Size of the graph's files.</summary>
    public long MemoryBytes { get; }

    /// <summary>Opens a graph, with its external data beside it, and starts its loop.</summary>
    /// <exception cref="EngineDeviceException">CUDA was asked for and cannot be used.</exception>
    /// <exception cref="EngineGraphException">The file is not an encoder graph.</exception>
    public static EncoderEngine Load(string onnxPath, EncoderShape shape, EngineOptions options, EngineDevice device, TimeProvider clock) =>
        Load(onnxPath, shape, options, device, IEngineObserver.None, clock);

    /// <param name="observer">Is told of faults.</param>
    /// <inheritdoc cref="Load(string, EncoderShape, EngineOptions, EngineDevice, TimeProvider)"/>
    public static EncoderEngine Load(string onnxPath, EncoderShape shape, EngineOptions options, EngineDevice device, IEngineObserver observer, TimeProvider clock)
    {
        var session = OrtRuntime.Open(onnxPath, device, options.Threads, observer, out var used);
        try
        {
            var files = GraphFiles.Bytes(onnxPath);
            var loop = new EncoderLoop(new EncoderRunner(session, shape, options, clock), options, $"encoder {Path.GetFileNameWithoutExtension(onnxPath)}", observer, clock);
            return new EncoderEngine(loop, shape, used == EngineDevice.Cuda ? "cuda:0" : "cpu", files, clock);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Whether it was closed, or ended by a fault: it takes nothing any more.</summary>
    public bool HasEnded => _loop.Stopped.IsCompleted;

    /// <summary>Requests whose texts wait or run.</summary>
    public int Alive => _loop.Alive;

    /// <summary>A place for a request that submits more than once.</summary>
    /// <exception cref="EngineBusyException">There is none.</exception>
    public EnginePlace Enter(EngineCaller caller) => _loop.Places.Enter(caller);

    /// <summary>Queues texts: one result a text, in their order.</summary>
    /// <param name="place">Of the request that they belong to; null: they take a place of their own.</param>
    /// <exception cref="ArgumentException">A text cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<float[][]> Submit(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, EnginePlace? place = null)
    {
        Check(texts, wanted);
        var request = new EncoderRequest(texts, wanted, place?.Caller ?? EngineCaller.Nobody, _clock);
        if (texts.Count == 0)
        {
            request.Run.End(fault: null);
        }
        else
        {
            _loop.Submit(request, place);
        }

        return request.Results;
    }

    /// <summary>One result a text, in their order.</summary>
    /// <exception cref="ArgumentException">A text cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public async Task<float[][]> RunAsync(IReadOnlyList<EncoderText> texts, EncoderOutput wanted, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await Submit(texts, wanted).UntilAsync(cancel).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _loop.Stop();
        await _loop.Stopped.ConfigureAwait(false);
    }

    private void Check(IReadOnlyList<EncoderText> texts, EncoderOutput wanted)
    {
        var has = wanted switch
        {
            EncoderOutput.States => Shape.HasStates,
            EncoderOutput.SentenceStates => Shape.HasSentenceStates,
            EncoderOutput.Sentence => Shape.SentenceWidth > 0,
            EncoderOutput.Pooled => Shape.HasPooler,
            EncoderOutput.Logits => Shape.Head != EncoderHead.None,
        };
        if (!has)
        {
            throw new ArgumentException($"The model has no output '{wanted}'.", nameof(wanted));
        }

        foreach (var (ids, types, places) in texts)
        {
            if (ids.Length == 0 || ids.Length > Shape.MaxTokens)
            {
                throw new ArgumentException($"A text of {ids.Length} tokens was given; the model takes 1 to {Shape.MaxTokens}.", nameof(texts));
            }

            if (Array.FindIndex(ids, id => (uint)id >= (uint)Shape.Vocabulary) is var wrong and >= 0)
            {
                throw new ArgumentException($"Token {ids[wrong]} at place {wrong} is not in the vocabulary of {Shape.Vocabulary}.", nameof(texts));
            }

            if ((types is not null && types.Length != ids.Length) || places?.Any(p => (uint)p >= (uint)ids.Length) == true)
            {
                throw new ArgumentException("Segments and places must belong to the text's tokens.", nameof(texts));
            }
        }
    }
}
