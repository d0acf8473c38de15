using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>
/// A loaded decoder model: submit a prompt, read its pieces. Many sequences share every step; each gets exactly the tokens it
/// would get alone. Safe on any thread.
/// </summary>
public sealed class InferenceEngine : IAsyncDisposable
{
    private readonly EngineLoop _loop;
    private readonly int _buffer;
    private readonly TimeProvider _clock;

    internal InferenceEngine(EngineLoop loop, DecoderShape shape, EngineOptions options, string device, long memoryBytes, TimeProvider clock)
    {
        _loop = loop;
        _buffer = options.PieceBuffer;
        _clock = clock;
        Shape = shape;
        Device = device;
        MemoryBytes = memoryBytes;
    }

    /// <summary>The model's shape; its context is cut to <see cref="EngineOptions.MaxContext"/>.</summary>
    public DecoderShape Shape { get; }

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
        try
        {
            cache = new SlotCache(served, options.Slots, served.ContextLength);
            var runner = new OnnxRunner(session, served, cache, options.PrefillChunk, bind: used == EngineDevice.Cpu);
            var loop = new EngineLoop(runner, cache, served.Vocabulary, options, $"engine {Path.GetFileNameWithoutExtension(onnxPath)}");
            var memory = cache.Bytes + GraphFiles.Bytes(onnxPath);
            return new InferenceEngine(loop, served, options, used == EngineDevice.Cuda ? "cuda:0" : "cpu", memory, clock);
        }
        catch
        {
            cache?.Dispose();
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
        var output = new EngineSequence(request, _buffer, _loop.Cancel, _loop.Wake, _clock);
        var choice = new TokenChoice(request);
        var room = Shape.ContextLength - request.PromptTokens.Length;
        _loop.Submit(Sequence.Generation(output, choice, Math.Min(request.MaxTokens, room)));
        return output;
    }

    /// <summary>
    /// The logits of every position of a prompt, [tokens, vocabulary] f32 row-major. Runs a chunk at a time between the steps of
    /// the others, cut as a generation would cut it.
    /// </summary>
    /// <exception cref="ArgumentException">The prompt cannot be run; the message names what is wrong with it.</exception>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    public async Task<float[]> LogitsAsync(int[] tokens, CancellationToken cancel)
    {
        RequestCheck.CheckTokens(tokens, Shape, most: Shape.ContextLength);
        var size = (long)tokens.Length * Shape.Vocabulary;
        if (size > Array.MaxLength)
        {
            throw new ArgumentException($"The logits of {tokens.Length} tokens are {size} numbers, more than one array holds ({Array.MaxLength}); ask for fewer tokens at once.", nameof(tokens));
        }

        cancel.ThrowIfCancellationRequested();
        var request = new LogitsRequest(new float[size]);
        var sequence = Sequence.AllLogits(tokens, request);
        _loop.Submit(sequence);
        await using var registration = cancel.Register(() => _loop.Cancel(sequence)).ConfigureAwait(false);
        return await request.Done.Task.ConfigureAwait(false);
    }

    /// <summary>What the engine is doing and has done.</summary>
    public EngineSnapshot Snapshot() => _loop.Snapshot();

    /// <summary>Ends the loop after its current step, fails what still runs or waits, and releases native memory.</summary>
    public async ValueTask DisposeAsync()
    {
        _loop.Stop();
        await _loop.Stopped.ConfigureAwait(false);
    }
}
