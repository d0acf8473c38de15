using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Scheduling;
using LlmOs.Engine.Scheduling.Kinds;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Engine;

/// <summary>
/// A loaded decoder model: submit a prompt, read its pieces. Many sequences share every step; each gets exactly the tokens it
/// would get alone. Safe on any thread.
/// </summary>
public sealed class InferenceEngine : IAsyncDisposable
{
    private readonly EngineLoop _loop;
    private readonly int _buffer;
    private readonly int _slots;
    private readonly TimeProvider _clock;

    internal InferenceEngine(EngineLoop loop, DecoderShape shape, EngineOptions options, string device, long memoryBytes, TimeProvider clock)
    {
        _loop = loop;
        _buffer = options.PieceBuffer;
        _slots = options.Slots;
        _clock = clock;
        Shape = shape;
        Device = device;
        MemoryBytes = memoryBytes;
    }

    /// <summary>The model's shape; its context is cut to <see cref="EngineOptions.MaxContext"/>.</summary>
    public DecoderShape Shape { get; }

    /// <summary>Sequences that decode together, and most beams of a search.</summary>
    public int Slots => _slots;

    /// <summary><c>cpu</c> or <c>cuda:0</c>.</summary>
    public string Device { get; }

    /// <summary>Bytes reserved for keys and values, and the size of the graph's files. What is resident may be less.</summary>
    public long MemoryBytes { get; }

    /// <summary>Opens a graph, with its external data beside it, and starts its loop.</summary>
    /// <exception cref="EngineDeviceException">CUDA was asked for and cannot be used.</exception>
    /// <exception cref="EngineGraphException">The file is not a decoder graph of this shape.</exception>
    /// <exception cref="EngineMemoryException">The cache does not fit.</exception>
    public static InferenceEngine Load(string onnxPath, DecoderShape shape, EngineOptions options, EngineDevice device, TimeProvider clock) =>
        Load(onnxPath, shape, options, device, IEngineObserver.None, clock);

    /// <param name="observer">Is told of faults.</param>
    /// <inheritdoc cref="Load(string, DecoderShape, EngineOptions, EngineDevice, TimeProvider)"/>
    public static InferenceEngine Load(string onnxPath, DecoderShape shape, EngineOptions options, EngineDevice device, IEngineObserver observer, TimeProvider clock)
    {
        var served = shape with { ContextLength = Math.Min(shape.ContextLength, options.MaxContext) };
        var cache = new SlotCache(served, options.Slots, served.ContextLength);
        OnnxRunner? runner = null;
        try
        {
            runner = Open(onnxPath, served, cache, options, device, observer, clock, out var used);
            var memory = cache.Bytes + GraphFiles.Bytes(onnxPath) + (shape.Cross is null ? 0 : GraphFiles.Bytes(DecoderGraph.EncoderBeside(onnxPath)));

            // Last: from here on the loop's thread has all of this.
            var loop = new EngineLoop(
                runner,
                () => Open(onnxPath, served, cache, options, used, observer, clock, out _),
                cache,
                served.Vocabulary,
                options,
                $"engine {Path.GetFileNameWithoutExtension(onnxPath)}",
                observer,
                clock);
            return new InferenceEngine(loop, served, options, used == EngineDevice.Cuda ? "cuda:0" : "cpu", memory, clock);
        }
        catch
        {
            runner?.Dispose();
            cache.Dispose();
            throw;
        }
    }

    private static OnnxRunner Open(string onnxPath, DecoderShape shape, SlotCache cache, EngineOptions options, EngineDevice device, IEngineObserver observer, TimeProvider clock, out EngineDevice used)
    {
        var session = OrtRuntime.Open(onnxPath, device, options.Threads, observer, out used);
        InferenceSession? encoder = null;
        try
        {
            encoder = shape.Cross is null ? null : OrtRuntime.Open(DecoderGraph.EncoderBeside(onnxPath), used, options.Threads, observer, out _);
            return new OnnxRunner(session, encoder, shape, cache, options, bind: used == EngineDevice.Cpu, clock);
        }
        catch
        {
            encoder?.Dispose();
            session.Dispose();
            throw;
        }
    }

    /// <summary>Whether it was closed, or ended by a fault: it takes nothing any more.</summary>
    public bool HasEnded => _loop.Stopped.IsCompleted;

    /// <summary>A place for a request that submits more than once.</summary>
    /// <exception cref="EngineBusyException">There is none.</exception>
    public EnginePlace Enter(EngineCaller caller) => _loop.Places.Enter(caller);

    /// <summary>Queues a sequence. It starts when a slot is free and its turn comes.</summary>
    /// <param name="place">Of the request that it belongs to; null: it takes a place of its own.</param>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineSequence Submit(GenerationRequest request, EnginePlace? place = null)
    {
        RequestCheck.Check(request, Shape);
        if (request.Beams is not null)
        {
            throw new ArgumentException("A beam search has no pieces to stream; it is run by BeamSearchAsync.", nameof(request));
        }

        var output = new EngineSequence(request, _buffer, _loop.Wake, _clock);
        _loop.Submit(new SequenceGroup(request.PromptTokens, request.SourceTokens, new Generation(output, MaxNew(request)), request.Caller), place);
        return output;
    }

    /// <summary>Queues a beam search. It runs among the other sequences; its beams take as many slots, all at once.</summary>
    /// <param name="place">Of the request that it belongs to; null: it takes a place of its own.</param>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<BeamResult> SubmitBeams(GenerationRequest request, EnginePlace? place = null)
    {
        RequestCheck.Check(request, Shape);
        RequestCheck.CheckBeams(request.Beams, _slots);
        var (kind, run) = BeamGeneration.Create(request, MaxNew(request), Shape.Vocabulary, _clock);
        _loop.Submit(new SequenceGroup(request.PromptTokens, request.SourceTokens, kind, request.Caller), place);
        return run;
    }

    /// <summary>Runs a beam search among the other sequences; its beams take as many slots, all at once.</summary>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public async Task<BeamResult> BeamSearchAsync(GenerationRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await SubmitBeams(request).UntilAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Queues the scoring of a prompt: a score for each token from <see cref="ScoringRequest.From"/> on. For decoders.</summary>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<IReadOnlyList<ScoredToken>> SubmitScoring(ScoringRequest request, EnginePlace? place = null)
    {
        RequestCheck.CheckScoring(request, Shape);
        var (kind, run) = PromptScoring.Create(request, _clock);
        _loop.Submit(new SequenceGroup(request.Tokens, [], kind, request.Caller), place);
        return run;
    }

    /// <summary>Queues a prompt whose logits are wanted, as <see cref="LogitsAsync(int[], int[], CancellationToken)"/> gives them.</summary>
    /// <param name="source">What an encoder-decoder has read; empty for a decoder.</param>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<float[]> SubmitLogits(int[] tokens, int[] source)
    {
        RequestCheck.CheckSource(source, Shape);
        RequestCheck.CheckTokens(tokens, Shape, max: Shape.ContextLength);
        var size = (long)tokens.Length * Shape.Vocabulary;
        if (size > Array.MaxLength)
        {
            throw new ArgumentException($"The logits of {tokens.Length} tokens are {size} numbers, more than one array holds ({Array.MaxLength}); ask for fewer tokens at once.", nameof(tokens));
        }

        var (kind, run) = PromptLogits.Create(tokens.Length, _clock);
        _loop.Submit(new SequenceGroup(tokens, source, kind, EngineCaller.Nobody), place: null);
        return run;
    }

    /// <summary>
    /// The logits of every position of a prompt, [tokens, vocabulary] f32 row-major. Runs a chunk at a time between the steps of
    /// the others, cut as a generation would cut it.
    /// </summary>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">There is no place for it.</exception>
    public Task<float[]> LogitsAsync(int[] tokens, CancellationToken cancel) => LogitsAsync(tokens, source: [], cancel);

    /// <summary>The same for an encoder-decoder that has read a source.</summary>
    public async Task<float[]> LogitsAsync(int[] tokens, int[] source, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await SubmitLogits(tokens, source).UntilAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>What the engine is doing and has done.</summary>
    public EngineSnapshot Snapshot() => _loop.Snapshot();

    /// <summary>Ends the loop after its current step, fails what still runs or waits, and releases native memory.</summary>
    public async ValueTask DisposeAsync()
    {
        _loop.Stop();
        await _loop.Stopped.ConfigureAwait(false);
    }

    /// <summary>New tokens that limit and context allow.</summary>
    private int MaxNew(GenerationRequest request) => Math.Min(request.MaxTokens, Shape.ContextLength - request.PromptTokens.Length);
}
