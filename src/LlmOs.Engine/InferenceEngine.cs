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
    public static InferenceEngine Load(string onnxPath, DecoderShape shape, EngineOptions options, EngineDevice device, TimeProvider clock)
    {
        var served = shape with { ContextLength = Math.Min(shape.ContextLength, options.MaxContext) };
        var session = OrtRuntime.Open(onnxPath, device, options.Threads, out var used);
        SlotCache? cache = null;
        InferenceSession? encoder = null;
        try
        {
            cache = new SlotCache(served, options.Slots, served.ContextLength);
            encoder = shape.Cross is null ? null : OrtRuntime.Open(DecoderGraph.EncoderBeside(onnxPath), used, options.Threads, out _);
            var runner = new OnnxRunner(session, encoder, served, cache, options.PrefillChunk, bind: used == EngineDevice.Cpu);
            var loop = new EngineLoop(runner, cache, served.Vocabulary, options, $"engine {Path.GetFileNameWithoutExtension(onnxPath)}");
            var memory = cache.Bytes + GraphFiles.Bytes(onnxPath) + (encoder is null ? 0 : GraphFiles.Bytes(DecoderGraph.EncoderBeside(onnxPath)));
            return new InferenceEngine(loop, served, options, used == EngineDevice.Cuda ? "cuda:0" : "cpu", memory, clock);
        }
        catch
        {
            cache?.Dispose();
            encoder?.Dispose();
            session.Dispose();
            throw;
        }
    }

    /// <summary>Queues a sequence. It starts when a slot is free and its turn comes.</summary>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineSequence Submit(GenerationRequest request)
    {
        RequestCheck.Check(request, Shape);
        if (request.Beams is not null)
        {
            throw new ArgumentException("A beam search has no pieces to stream; it is run by BeamSearchAsync.", nameof(request));
        }

        var output = new EngineSequence(request, _buffer, _loop.Wake, _clock);
        _loop.Submit(new SequenceGroup(request.PromptTokens, request.SourceTokens, new Generation(output, MaxNew(request))));
        return output;
    }

    /// <summary>Queues a beam search. It runs among the other sequences; its beams take as many slots, all at once.</summary>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<BeamResult> SubmitBeams(GenerationRequest request)
    {
        RequestCheck.Check(request, Shape);
        RequestCheck.CheckBeams(request.Beams, _slots);
        var (kind, run) = BeamGeneration.Create(request, MaxNew(request), Shape.Vocabulary, _clock);
        _loop.Submit(new SequenceGroup(request.PromptTokens, request.SourceTokens, kind));
        return run;
    }

    /// <summary>Runs a beam search among the other sequences; its beams take as many slots, all at once.</summary>
    /// <exception cref="ArgumentException">The request cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public async Task<BeamResult> BeamSearchAsync(GenerationRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await SubmitBeams(request).UntilAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Queues the scoring of a prompt: the logits of every position, as <see cref="LogitsAsync(int[], int[], CancellationToken)"/> gives them.</summary>
    /// <param name="source">What an encoder-decoder has read; empty for a decoder.</param>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    /// <exception cref="EngineClosedException">The engine was disposed of.</exception>
    public EngineRun<float[]> SubmitScoring(int[] tokens, int[] source)
    {
        RequestCheck.CheckSource(source, Shape);
        RequestCheck.CheckTokens(tokens, Shape, max: Shape.ContextLength);
        var size = (long)tokens.Length * Shape.Vocabulary;
        if (size > Array.MaxLength)
        {
            throw new ArgumentException($"The logits of {tokens.Length} tokens are {size} numbers, more than one array holds ({Array.MaxLength}); ask for fewer tokens at once.", nameof(tokens));
        }

        var (kind, run) = PromptScoring.Create(size, _clock);
        _loop.Submit(new SequenceGroup(tokens, source, kind));
        return run;
    }

    /// <summary>
    /// The logits of every position of a prompt, [tokens, vocabulary] f32 row-major. Runs a chunk at a time between the steps of
    /// the others, cut as a generation would cut it.
    /// </summary>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    public Task<float[]> LogitsAsync(int[] tokens, CancellationToken cancel) => LogitsAsync(tokens, source: [], cancel);

    /// <summary>The same for an encoder-decoder that has read a source.</summary>
    public async Task<float[]> LogitsAsync(int[] tokens, int[] source, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return await SubmitScoring(tokens, source).UntilAsync(cancel).ConfigureAwait(false);
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
