using System.Runtime.InteropServices;
using LlmOs.Engine.Cache;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace LlmOs.Engine.Execution;

/// <summary>Runs a decoder graph with the names of <see cref="DecoderGraph"/> over a slot cache.</summary>
/// <remarks>
/// Letters: B rows, S tokens a row, N rows of logits. Inputs and outputs live in native buffers that are written in place;
/// the OrtValues over them are made once for each shape and kept, so a decode step allocates nothing.
/// Keys and values are bound as past and present at once. The runtime takes B > 1 only with S = 1.
/// </remarks>
internal sealed unsafe class OnnxRunner : IModelRunner
{
    private readonly InferenceSession _session;
    private readonly InferenceSession? _encoder;
    private readonly SlotCache _cache;
    private readonly DecoderShape _shape;
    private readonly bool _bind;
    private readonly int _prefillChunk;
    private readonly StepWatch _watch;
    private readonly List<nint> _buffers = [];
    private readonly long* _ids;
    private readonly int* _lengths;
    private readonly int* _longest;
    private readonly long* _rows;
    private readonly float* _logits;
    private readonly int _maxTokens;
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private readonly OrtValue _longestValue;
    private readonly Dictionary<(int Batch, int Tokens), OrtValue> _idValues = [];
    private readonly Dictionary<int, OrtValue> _lengthValues = [];
    private readonly int* _sources;
    private readonly Dictionary<int, OrtValue> _sourceValues = [];
    private readonly Dictionary<int, OrtValue> _rowValues = [];
    private readonly Dictionary<int, OrtValue> _logitValues = [];
    private readonly Dictionary<(int Slot, int Batch), OrtValue[]> _cacheViews = [];
    private readonly Dictionary<(int Slot, int Batch, int Tokens, int Rows), Plan> _plans = [];
    private int _rowsReady;
    private int _firstRow;
    private bool _disposed;

    /// <param name="session">Disposed of by the runner.</param>
    /// <param name="bind">Whether the bound inputs stay where they are (true on the processor; on a card they would be copied once only).</param>
    /// <exception cref="EngineGraphException">The graph's inputs and outputs do not fit the shape.</exception>
    /// <param name="encoder">The encoder of an encoder-decoder, else null; disposed of by the runner.</param>
    public OnnxRunner(InferenceSession session, InferenceSession? encoder, DecoderShape shape, SlotCache cache, EngineOptions options, bool bind, TimeProvider clock)
    {
        DecoderGraphCheck.Require(session, shape);
        _session = session;
        _encoder = encoder;
        _shape = shape;
        _cache = cache;
        _bind = bind;
        _prefillChunk = options.PrefillChunk;
        _watch = new StepWatch(options, clock);
        _maxTokens = Math.Max(2, Math.Max(options.PrefillChunk, cache.Slots));
        _ids = (long*)Allocate((long)_maxTokens * sizeof(long));
        _lengths = (int*)Allocate((long)_maxTokens * sizeof(int));
        _sources = (int*)Allocate((long)_maxTokens * sizeof(int));
        _longest = (int*)Allocate(sizeof(int));
        _rows = (long*)Allocate((long)_maxTokens * sizeof(long));
        _logits = (float*)Allocate((long)_maxTokens * shape.Vocabulary * sizeof(float));
        _longestValue = Value(TensorElementType.Int32, (nint)_longest, sizeof(int), 1);
        var layers = Enumerable.Range(0, shape.Layers).ToArray();
        _inputNames =
        [
            DecoderGraph.InputIds, DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength, DecoderGraph.LogitRows,
            .. layers.Select(DecoderGraph.PastKey), .. layers.Select(DecoderGraph.PastValue),
            .. shape.Cross is null ? [] : layers.Select(DecoderGraph.CrossKey).Concat(layers.Select(DecoderGraph.CrossValue)).Append(DecoderGraph.SourceLengths),
        ];
        _outputNames = [DecoderGraph.Logits, .. layers.Select(DecoderGraph.PresentKey), .. layers.Select(DecoderGraph.PresentValue)];
    }

    public void RunSource(int slot, ReadOnlySpan<int> source)
    {
        var cross = _shape.Cross ?? throw new InvalidOperationException("The model has no encoder.");
        // As for encoders: always the same padding, so that a source's numbers depend on nothing else.
        var length = Math.Min((source.Length + 7) / 8 * 8, cross.MaxSource);
        var ids = new long[length];
        Array.Fill(ids, cross.PadToken);
        for (var i = 0; i < source.Length; i++)
        {
            ids[i] = source[i];
        }

        using var idValue = OrtValue.CreateTensorValueFromMemory(ids, [1, length]);
        using var lengthValue = OrtValue.CreateTensorValueFromMemory(new[] { source.Length }, [1]);
        var layers = Enumerable.Range(0, _shape.Layers).ToArray();
        using var results = Watched(() => _encoder!.Run(
            _watch.Options,
            [EncoderNames.InputIds, EncoderNames.Lengths],
            [idValue, lengthValue],
            [.. layers.Select(DecoderGraph.CrossKey), .. layers.Select(DecoderGraph.CrossValue)]));
        foreach (var layer in layers)
        {
            _cache.SetSource(
                layer,
                slot,
                results[layer].GetTensorDataAsSpan<float>(),
                results[_shape.Layers + layer].GetTensorDataAsSpan<float>(),
                source.Length,
                stride: length);
        }
    }

    public void RunPrefill(int slot, int past, ReadOnlySpan<int> ids, LogitRows rows)
    {
        _sources[0] = _cache.SourceLength(slot);
        _lengths[0] = past + ids.Length - 1;
        *_longest = past + ids.Length;
        var count = rows switch
        {
            LogitRows.None => 0,
            LogitRows.Last => 1,
            LogitRows.All => ids.Length,
        };
        for (var row = 0; row < count; row++)
        {
            _rows[row] = ids.Length - count + row;
        }

        Run(slot, batch: 1, ids, count);
    }

    public void RunDecode(ReadOnlySpan<int> ids, ReadOnlySpan<int> past)
    {
        if (ids.Length == 1 && _shape.RowsNeedCompany && _cache.Slots > 1) // of one slot every row is alone, always
        {
            RunWithCompany(ids[0], past[0]);
            return;
        }

        var longest = 0;
        for (var row = 0; row < ids.Length; row++)
        {
            _lengths[row] = past[row];
            _sources[row] = _cache.SourceLength(row);
            _rows[row] = row;
            longest = Math.Max(longest, past[row] + 1);
        }

        *_longest = longest;
        Run(slot: 0, ids.Length, ids, ids.Length);
    }

    public ReadOnlySpan<float> Logits(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, _rowsReady);
        return new ReadOnlySpan<float>(_logits + ((long)(_firstRow + row) * _shape.Vocabulary), _shape.Vocabulary);
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (var plan in _plans.Values)
        {
            plan.Binding?.Dispose();
        }

        foreach (var value in _idValues.Values
            .Concat(_lengthValues.Values)
            .Concat(_sourceValues.Values)
            .Concat(_rowValues.Values)
            .Concat(_logitValues.Values)
            .Concat(_cacheViews.Values.SelectMany(view => view)))
        {
            value.Dispose();
        }

        _longestValue.Dispose();
        _watch.Dispose();
        _session.Dispose();
        _encoder?.Dispose();
        foreach (var buffer in _buffers)
        {
            NativeMemory.AlignedFree((void*)buffer);
        }

        _buffers.Clear();
    }

    /// <summary>Decodes the first slot's token beside one of the spare slot, which stands at the beginning of nobody's text.</summary>
    private void RunWithCompany(int id, int past)
    {
        (_lengths[0], _lengths[1]) = (0, past);
        (_sources[0], _sources[1]) = (1, _cache.SourceLength(0));
        (_rows[0], _rows[1]) = (0, 1);
        *_longest = past + 1;
        Run(slot: -1, batch: 2, [id, id], rows: 2);
        (_firstRow, _rowsReady) = (1, 1);
    }

    private void Run(int slot, int batch, ReadOnlySpan<int> ids, int rows)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            _ids[i] = ids[i];
        }

        (_firstRow, _rowsReady) = (0, 0);
        var tokens = ids.Length / batch;
        if (!_plans.TryGetValue((slot, batch, tokens, rows), out var plan))
        {
            plan = MakePlan(slot, batch, tokens, rows);
            if (tokens == 1 || tokens == _prefillChunk)
            {
                // The ends of prompts come in every length: what is kept stays bounded by the number of slots.
                _plans.Add((slot, batch, tokens, rows), plan);
            }
        }

        _watch.Begin();
        try
        {
            if (plan.Binding is { } binding)
            {
                _session.RunWithBinding(_watch.Options, binding);
            }
            else
            {
                _session.Run(_watch.Options, _inputNames, plan.Inputs, _outputNames, plan.Outputs);
            }
        }
        finally
        {
            _watch.End();
        }

        _rowsReady = rows;
    }

    private T Watched<T>(Func<T> run)
    {
        _watch.Begin();
        try
        {
            return run();
        }
        finally
        {
            _watch.End();
        }
    }

    private Plan MakePlan(int slot, int batch, int tokens, int rows)
    {
        var view = Kept(_cacheViews, (slot, batch), () => CacheView(slot, batch));
        var ids = Kept(_idValues, (batch, tokens), () => Value(TensorElementType.Int64, (nint)_ids, sizeof(long), batch, tokens));
        var lengths = Kept(_lengthValues, batch, () => Value(TensorElementType.Int32, (nint)_lengths, sizeof(int), batch));
        var wanted = Kept(_rowValues, rows, () => Value(TensorElementType.Int64, (nint)_rows, sizeof(long), rows));
        var logits = Kept(_logitValues, rows, () => Value(TensorElementType.Float, (nint)_logits, sizeof(float), rows, _shape.Vocabulary));
        OrtValue[] sources = _shape.Cross is null ? [] : [Kept(_sourceValues, batch, () => Value(TensorElementType.Int32, (nint)_sources, sizeof(int), batch))];
        OrtValue[] inputs = [ids, lengths, _longestValue, wanted, .. view, .. sources];
        OrtValue[] outputs = [logits, .. view[..(2 * _shape.Layers)]];

        // A binding saves 16 us and 3 KB of garbage a run: worth it for one token, not for a chunk.
        return new Plan(inputs, outputs, _bind && tokens == 1 ? Bind(inputs, outputs) : null);
    }

    private OrtIoBinding Bind(OrtValue[] inputs, OrtValue[] outputs)
    {
        var binding = _session.CreateIoBinding();
        for (var i = 0; i < inputs.Length; i++)
        {
            binding.BindInput(_inputNames[i], inputs[i]);
        }

        for (var i = 0; i < outputs.Length; i++)
        {
            binding.BindOutput(_outputNames[i], outputs[i]);
        }

        return binding;
    }

    /// <summary>K of every layer, then V of every layer, each [B, kv heads, capacity, head width]; then the same of the source.</summary>
    private OrtValue[] CacheView(int slot, int batch)
    {
        var view = new OrtValue[(_shape.Cross is null ? 2 : 4) * _shape.Layers];
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            view[layer] = Value(TensorElementType.Float, _cache.KeysOf(layer, slot), sizeof(float), batch, _shape.KvHeads, _cache.Capacity, _shape.HeadDim);
            if (_shape.Cross is { } cross)
            {
                view[(2 * _shape.Layers) + layer] = Value(TensorElementType.Float, _cache.CrossKeysOf(layer, slot), sizeof(float), batch, cross.Heads, cross.MaxSource, cross.HeadDim);
                view[(3 * _shape.Layers) + layer] = Value(TensorElementType.Float, _cache.CrossValuesOf(layer, slot), sizeof(float), batch, cross.Heads, cross.MaxSource, cross.HeadDim);
            }

            view[_shape.Layers + layer] = Value(TensorElementType.Float, _cache.ValuesOf(layer, slot), sizeof(float), batch, _shape.KvHeads, _cache.Capacity, _shape.HeadDim);
        }

        return view;
    }

    private static TValue Kept<TKey, TValue>(Dictionary<TKey, TValue> values, TKey key, Func<TValue> make)
        where TKey : notnull
    {
        if (!values.TryGetValue(key, out var value))
        {
            value = make();
            values.Add(key, value);
        }

        return value;
    }

    private static OrtValue Value(TensorElementType type, nint memory, int bytesEach, params long[] dimensions)
    {
        var count = dimensions.Aggregate(1L, (product, dimension) => product * dimension);
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, dimensions, memory, count * bytesEach);
    }

    private nint Allocate(long bytes)
    {
        // Reserved, not cleared: the room for a whole chunk's logits costs nothing until somebody asks for them.
        var memory = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 64), 64);
        _buffers.Add(memory);
        return memory;
    }

    private sealed record Plan(OrtValue[] Inputs, OrtValue[] Outputs, OrtIoBinding? Binding);
}
