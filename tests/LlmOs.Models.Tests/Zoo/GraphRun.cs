using LlmOs.Engine.Execution;
using LlmOs.Models.Zoo;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>One sequence run through a serving graph by ONNX Runtime alone, cache and all.</summary>
internal sealed class GraphRun : IDisposable
{
    private readonly DecoderShape _shape;
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly int _states;
    private readonly int _hidden;
    private readonly List<(string Past, string Present, OrtValue Value)> _cache = [];

    /// <param name="states">Hidden states that the graph gives out.</param>
    public GraphRun(ServingGraph graph, int states = 0, int hidden = 0)
    {
        _shape = graph.Shape;
        (_states, _hidden) = (states, hidden);
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        _session = new InferenceSession(graph.OnnxPath, options);
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            _cache.Add((DecoderGraph.PastKey(layer), DecoderGraph.PresentKey(layer), NewCache()));
            _cache.Add((DecoderGraph.PastValue(layer), DecoderGraph.PresentValue(layer), NewCache()));
        }
    }

    /// <summary>[states, tokens, hidden] of the last step.</summary>
    public float[] States { get; private set; } = [];

    /// <summary>Runs the next ids of the sequence; returns a row of logits for each offset in <paramref name="wanted"/>.</summary>
    public float[][] Step(int[] ids, int past, params long[] wanted)
    {
        var total = past + ids.Length;
        using var idValue = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(ids, i => (long)i), [1, ids.Length]);
        using var seqLens = OrtValue.CreateTensorValueFromMemory(new[] { total - 1 }, [1]);
        using var totalValue = OrtValue.CreateTensorValueFromMemory(new[] { total }, [1]);
        using var rows = OrtValue.CreateTensorValueFromMemory(wanted, [wanted.Length]);
        var logits = new float[wanted.Length * _shape.Vocabulary];
        using var logitsValue = OrtValue.CreateTensorValueFromMemory(logits, [wanted.Length, _shape.Vocabulary]);

        var states = Enumerable.Range(0, _states).Select(_ => new float[ids.Length * _hidden]).ToArray();
        var stateNames = Enumerable.Range(0, _states).Select(DecoderGraph.HiddenState).ToArray();
        var stateValues = Array.ConvertAll(states, s => OrtValue.CreateTensorValueFromMemory(s, [1, ids.Length, _hidden]));

        _session.Run(
            _options,
            [DecoderGraph.InputIds, DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength, DecoderGraph.LogitRows, .. _cache.Select(c => c.Past)],
            [idValue, seqLens, totalValue, rows, .. _cache.Select(c => c.Value)],
            [DecoderGraph.Logits, .. _cache.Select(c => c.Present), .. stateNames],
            [logitsValue, .. _cache.Select(c => c.Value), .. stateValues]);
        States = [.. states.SelectMany(s => s)];
        foreach (var value in stateValues)
        {
            value.Dispose();
        }

        return [.. logits.Chunk(_shape.Vocabulary)];
    }

    /// <summary>Logits of every position, from an empty cache.</summary>
    public float[][] Forward(int[] ids) => Step(ids, 0, [.. Enumerable.Range(0, ids.Length).Select(i => (long)i)]);

    public void Dispose()
    {
        _cache.ForEach(c => c.Value.Dispose());
        _options.Dispose();
        _session.Dispose();
    }

    private OrtValue NewCache()
    {
        var capacity = Math.Min(_shape.ContextLength, 512);
        var elements = new float[_shape.KvHeads * capacity * _shape.HeadDim];
        return OrtValue.CreateTensorValueFromMemory(elements, [1, _shape.KvHeads, capacity, _shape.HeadDim]);
    }
}
