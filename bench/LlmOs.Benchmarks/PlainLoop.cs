using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LlmOs.Engine.Execution;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Benchmarks;

/// <summary>
/// The least that decoding with ONNX Runtime takes: one session, caches in place, ids in, greedy ids out. No queue, no
/// sampling, no text. What the engine costs is measured against it.
/// </summary>
internal sealed unsafe class PlainLoop : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly int _batch;
    private readonly int _vocabulary;
    private readonly List<nint> _memory = [];
    private readonly List<(string Name, OrtValue Value)> _inputs = [];
    private readonly List<(string Name, OrtValue Value)> _outputs = [];
    private readonly long* _ids;        // [B, 1]
    private readonly int* _seqLens;     // [B]
    private readonly int* _total;       // [1]
    private readonly float* _logits;    // [B, V]

    public PlainLoop(string onnxPath, DecoderShape shape, int batch, int capacity)
    {
        using var options = new SessionOptions { ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        options.DisablePerSessionThreads(); // the engine's pool, so that both run on the same threads
        _session = new InferenceSession(onnxPath, options);
        _batch = batch;
        _vocabulary = shape.Vocabulary;
        _ids = Input<long>(DecoderGraph.InputIds, batch, 1);
        _seqLens = Input<int>(DecoderGraph.SeqLensK, batch);
        _total = Input<int>(DecoderGraph.TotalSequenceLength, 1);
        var rows = Input<long>(DecoderGraph.LogitRows, batch);
        for (var row = 0; row < batch; row++)
        {
            rows[row] = row;
        }

        _logits = (float*)Allocate((long)batch * _vocabulary * sizeof(float));
        _outputs.Add((DecoderGraph.Logits, Wrap<float>((nint)_logits, batch, _vocabulary)));
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            Cache(DecoderGraph.PastKey(layer), DecoderGraph.PresentKey(layer), shape, capacity);
            Cache(DecoderGraph.PastValue(layer), DecoderGraph.PresentValue(layer), shape, capacity);
        }
    }

    /// <summary>Decodes from a context of <paramref name="start"/> positions; their cache may hold anything, the work is the same.</summary>
    /// <returns>The last ids, so that nothing is optimised away.</returns>
    public long Decode(int start, int tokens)
    {
        string[] inputNames = [.. _inputs.Select(i => i.Name)], outputNames = [.. _outputs.Select(o => o.Name)];
        OrtValue[] inputs = [.. _inputs.Select(i => i.Value)], outputs = [.. _outputs.Select(o => o.Value)];
        for (var row = 0; row < _batch; row++)
        {
            _ids[row] = 5 + row;
        }

        for (var step = 0; step < tokens; step++)
        {
            new Span<int>(_seqLens, _batch).Fill(start + step);
            *_total = start + step + 1;
            _session.Run(_run, inputNames, inputs, outputNames, outputs);
            for (var row = 0; row < _batch; row++)
            {
                _ids[row] = TensorPrimitives.IndexOfMax(new ReadOnlySpan<float>(_logits + ((long)row * _vocabulary), _vocabulary));
            }
        }

        return _ids[0];
    }

    public void Dispose()
    {
        foreach (var (_, value) in _inputs.Concat(_outputs))
        {
            value.Dispose();
        }

        _run.Dispose();
        _session.Dispose();
        _memory.ForEach(block => NativeMemory.AlignedFree((void*)block));
    }

    private T* Input<T>(string name, params long[] shape)
        where T : unmanaged
    {
        var block = Allocate(shape.Aggregate(1L, (a, b) => a * b) * sizeof(T));
        _inputs.Add((name, Wrap<T>(block, shape)));
        return (T*)block;
    }

    private void Cache(string past, string present, DecoderShape shape, int capacity)
    {
        long[] dimensions = [_batch, shape.KvHeads, capacity, shape.HeadDim];
        var bytes = dimensions.Aggregate(1L, (a, b) => a * b) * sizeof(float);
        var block = Allocate(bytes);
        NativeMemory.Clear((void*)block, (nuint)bytes);
        var value = Wrap<float>(block, dimensions);
        _inputs.Add((past, value));
        _outputs.Add((present, value));
    }

    private nint Allocate(long bytes)
    {
        var block = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        _memory.Add(block);
        return block;
    }

    private static OrtValue Wrap<T>(nint block, params long[] shape)
        where T : unmanaged
    {
        var type = typeof(T) == typeof(long) ? Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64
            : typeof(T) == typeof(int) ? Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int32
            : Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float;
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape, block, shape.Aggregate(1L, (a, b) => a * b) * sizeof(T));
    }
}
