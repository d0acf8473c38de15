using System.Text.Json;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests.Execution;

/// <summary>A Llama decoder with the names of <see cref="DecoderGraph"/>, written for the tests alone.</summary>
/// <remarks>Letters: D width, H heads, G kv heads, K head width, I inner width, V vocabulary.</remarks>
internal sealed class TinyLlama
{
    private readonly int _width;
    private readonly int _heads;
    private readonly int _inner;
    private readonly double _theta;
    private readonly Func<string, int, int, float[]> _weight;

    /// <param name="weight">[rows, columns] row-major weight by its published name (rows are outputs).</param>
    private TinyLlama(DecoderShape shape, int width, int heads, int inner, double theta, Func<string, int, int, float[]> weight)
    {
        Shape = shape;
        _width = width;
        _heads = heads;
        _inner = inner;
        _theta = theta;
        _weight = weight;
    }

    public DecoderShape Shape { get; }

    /// <summary>Weights drawn from a seed, scaled so that no token wins by far.</summary>
    public static TinyLlama Random(int seed, int layers = 2, int width = 64, int heads = 4, int kvHeads = 2, int inner = 112, int vocabulary = 384, int context = 256)
    {
        float[] Weight(string name, int rows, int columns)
        {
            var random = new System.Random(HashCode(name) ^ seed);
            var scale = name.EndsWith("norm.weight", StringComparison.Ordinal) ? 0.1 : 2 / Math.Sqrt(columns);
            var mean = name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0;
            var values = new float[rows * columns];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(mean + (((2 * random.NextDouble()) - 1) * scale));
            }

            return values;
        }

        return new TinyLlama(new DecoderShape(layers, kvHeads, width / heads, vocabulary, context), width, heads, inner, 10_000, Weight);
    }

    /// <summary>A published folder: config.json and model.safetensors in f32, plain rotary positions, untied head.</summary>
    public static TinyLlama Open(string folder)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        int Read(string name) => config.RootElement.GetProperty(name).GetInt32();
        var weights = new Safetensors(Path.Combine(folder, "model.safetensors"));
        float[] Weight(string name, int rows, int columns)
        {
            var values = weights.Read(name);
            Assert.Equal(rows * columns, values.Length);
            return values;
        }

        var shape = new DecoderShape(
            Read("num_hidden_layers"), Read("num_key_value_heads"), Read("head_dim"), Read("vocab_size"), Read("max_position_embeddings"));
        var theta = config.RootElement.GetProperty("rope_parameters").GetProperty("rope_theta").GetDouble();
        return new TinyLlama(shape, Read("hidden_size"), Read("num_attention_heads"), Read("intermediate_size"), theta, Weight);
    }

    /// <summary>Writes the graph into a fresh folder and returns its path.</summary>
    public string Write()
    {
        var folder = Directory.CreateTempSubdirectory("llmos-engine-");
        var path = Path.Combine(folder.FullName, "model.onnx");
        File.WriteAllBytes(path, Build());
        return path;
    }

    private byte[] Build()
    {
        var (layers, kvHeads, headDim, vocabulary, context) = Shape;
        var graph = new OnnxWriter();
        graph.Input(DecoderGraph.InputIds, OnnxWriter.Int64, "batch", "tokens");
        graph.Input(DecoderGraph.SeqLensK, OnnxWriter.Int32, "batch");
        graph.Input(DecoderGraph.TotalSequenceLength, OnnxWriter.Int32, 1);
        graph.Input(DecoderGraph.LogitRows, OnnxWriter.Int64, "rows");
        var (cos, sin) = Rotary(graph, context, headDim);
        graph.Constant("halves", (ReadOnlySpan<long>)[_inner, _inner], 2);
        graph.Constant("flat", (ReadOnlySpan<long>)[-1, _width], 2);

        graph.Constant("embedding", _weight("model.embed_tokens.weight", vocabulary, _width), vocabulary, _width);
        var stream = graph.Node("Gather", ["embedding", DecoderGraph.InputIds]);                     // [B, S, D]
        for (var layer = 0; layer < layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            foreach (var name in new[] { DecoderGraph.PastKey(layer), DecoderGraph.PastValue(layer) })
            {
                graph.Input(name, OnnxWriter.Float, "batch", kvHeads, "capacity", headDim);
            }

            foreach (var name in new[] { DecoderGraph.PresentKey(layer), DecoderGraph.PresentValue(layer) })
            {
                graph.Output(name, OnnxWriter.Float, "batch", kvHeads, "capacity", headDim);
            }

            var normed = Norm(graph, stream, prefix + "input_layernorm.weight");
            var qkv = Linear(
                graph,
                normed,
                _width,
                (prefix + "self_attn.q_proj.weight", _heads * headDim),
                (prefix + "self_attn.k_proj.weight", kvHeads * headDim),
                (prefix + "self_attn.v_proj.weight", kvHeads * headDim));                            // [B, S, (H + 2G) * K]
            var attended = $"attention.{layer}";
            graph.Node(
                "GroupQueryAttention",
                "com.microsoft",
                [qkv, "", "", DecoderGraph.PastKey(layer), DecoderGraph.PastValue(layer), DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength, cos, sin],
                [attended, DecoderGraph.PresentKey(layer), DecoderGraph.PresentValue(layer)],
                ("num_heads", _heads),
                ("kv_num_heads", kvHeads),
                ("do_rotary", 1));
            stream = graph.Node("Add", [stream, Linear(graph, attended, _heads * headDim, (prefix + "self_attn.o_proj.weight", _width))]);

            normed = Norm(graph, stream, prefix + "post_attention_layernorm.weight");
            var both = Linear(graph, normed, _width, (prefix + "mlp.gate_proj.weight", _inner), (prefix + "mlp.up_proj.weight", _inner));
            graph.Node("Split", string.Empty, [both, "halves"], [$"gate.{layer}", $"up.{layer}"], ("axis", -1));
            var silu = graph.Node("Mul", [$"gate.{layer}", graph.Node("Sigmoid", [$"gate.{layer}"])]);
            var inner = graph.Node("Mul", [silu, $"up.{layer}"]);                                    // [B, S, I]
            stream = graph.Node("Add", [stream, Linear(graph, inner, _inner, (prefix + "mlp.down_proj.weight", _width))]);
        }

        var rows = graph.Node("Gather", [graph.Node("Reshape", [stream, "flat"]), DecoderGraph.LogitRows]); // [N, D]
        var last = Norm(graph, rows, "model.norm.weight");
        graph.Node("Identity", string.Empty, [Linear(graph, last, _width, ("lm_head.weight", vocabulary))], [DecoderGraph.Logits]);
        graph.Output(DecoderGraph.Logits, OnnxWriter.Float, "rows", vocabulary);
        return graph.ToModel();
    }

    private (string Cos, string Sin) Rotary(OnnxWriter graph, int context, int headDim)
    {
        var half = headDim / 2;
        var cos = new float[context * half];
        var sin = new float[context * half];
        for (var position = 0; position < context; position++)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = position / Math.Pow(_theta, 2.0 * i / headDim);
                cos[(position * half) + i] = (float)Math.Cos(angle);
                sin[(position * half) + i] = (float)Math.Sin(angle);
            }
        }

        return (graph.Constant("cos", cos, context, half), graph.Constant("sin", sin, context, half));
    }

    private string Norm(OnnxWriter graph, string input, string name) => graph.Node(
        "SimplifiedLayerNormalization",
        [input, graph.Constant(name, _weight(name, 1, _width), _width)],
        ("axis", -1),
        ("epsilon", 1e-5f));

    /// <summary>Several projections of one input as one product, in the published order [outputs, inputs].</summary>
    private string Linear(OnnxWriter graph, string input, int columns, params (string Name, int Rows)[] parts)
    {
        var merged = parts.SelectMany(part => _weight(part.Name, part.Rows, columns)).ToArray();
        graph.Constant(parts[0].Name, merged, parts.Sum(part => part.Rows), columns);
        var output = parts[0].Name + ".out";
        graph.Node("FusedMatMul", "com.microsoft", [input, parts[0].Name], [output], ("transB", 1));
        return output;
    }

    private static int HashCode(string name) => name.Aggregate(17, (hash, letter) => unchecked((hash * 31) + letter));
}
