using LlmOs.Engine.Execution;
using LlmOs.Engine.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>
/// Llama as a serving graph in f32: "LLaMA" (arXiv 2302.13971, section 2.2) with grouped queries and the rotary scalings of
/// <see cref="RopeType"/>. Its logits match transformers' LlamaForCausalLM within 1e-3.
/// </summary>
/// <remarks>
/// Letters in shapes: B rows, S tokens of a row in this run, H hidden, D head width as stored in the cache, Q = heads * D,
/// K = kv heads * D, I intermediate, V vocabulary, N rows of logits asked for, M capacity of a cache slot, C context.
/// Projections keep their published order [out, in] and are multiplied transposed; the runtime packs them when it loads.
/// </remarks>
public static class LlamaGraph
{
    /// <summary>The attention kernel turns pairs in groups of 8, so a head is stored in multiples of 16; the rest is zero.</summary>
    private const int HeadAlignment = 16;

    /// <summary>What the engine must know of the graph that <see cref="Write"/> makes.</summary>
    public static DecoderShape ShapeOf(ModelConfig config) =>
        new(config.Layers, config.KvHeads, StoredHeadDim(config), config.Vocabulary, config.ContextLength);

    /// <summary>Writes <c>model.onnx</c> and <c>weights.bin</c>.</summary>
    /// <param name="folder">An existing folder without these files.</param>
    /// <exception cref="ModelFormatException">The weights do not fit the configuration.</exception>
    public static ServingGraph Write(ModelConfig config, IWeightSource weights, string folder, CancellationToken cancel)
    {
        LlamaWeights.Check(config, weights);
        using var graph = new OnnxGraph(config.ModelType, folder);
        new Writer(graph, config, weights, cancel).WriteAll();
        return new ServingGraph(graph.Save(), ShapeOf(config));
    }

    private static int StoredHeadDim(ModelConfig config) => (config.HeadDim + HeadAlignment - 1) / HeadAlignment * HeadAlignment;

    private sealed class Writer(OnnxGraph graph, ModelConfig config, IWeightSource weights, CancellationToken cancel)
    {
        private readonly int _headDim = StoredHeadDim(config);
        private readonly OnnxAttribute _epsilon = ("epsilon", (float)config.NormEpsilon);

        public void WriteAll()
        {
            graph.Input(DecoderGraph.InputIds, OnnxType.Int64, "B", "S");
            graph.Input(DecoderGraph.SeqLensK, OnnxType.Int32, "B");
            graph.Input(DecoderGraph.TotalSequenceLength, OnnxType.Int32, 1);
            graph.Input(DecoderGraph.LogitRows, OnnxType.Int64, "N");

            var frequencies = RotaryTable.Frequencies(config.Rope, config.HeadDim);
            var cosines = Rotary("rotary.cos", frequencies, Math.Cos);                                   // [C, D / 2]
            var sines = Rotary("rotary.sin", frequencies, Math.Sin);                                     // [C, D / 2]
            var embedding = Weight(LlamaWeights.Embedding, config.Vocabulary, config.Hidden);            // [V, H]

            var residual = graph.Node("Gather", [embedding, DecoderGraph.InputIds], attributes: ("axis", 0));  // [B, S, H]
            string? pending = null; // the last block's output, not yet added to the residual
            for (var layer = 0; layer < config.Layers; layer++)
            {
                (var normed, residual) = Norm(residual, pending, LlamaWeights.Layer(layer, "input_layernorm.weight"));
                pending = Attention(layer, normed, cosines, sines);                                      // [B, S, H]
                (normed, residual) = Norm(residual, pending, LlamaWeights.Layer(layer, "post_attention_layernorm.weight"));
                pending = Mlp(layer, normed);                                                            // [B, S, H]
            }

            var (last, _) = Norm(residual, pending, LlamaWeights.FinalNorm);                             // [B, S, H]
            var rows = graph.Node("Reshape", [last, graph.Constant("rows_shape", -1, config.Hidden)]);   // [B * S, H]
            var wanted = graph.Node("Gather", [rows, DecoderGraph.LogitRows], attributes: ("axis", 0));  // [N, H]
            var head = config.TiedEmbeddings ? embedding : Weight(LlamaWeights.Head, config.Vocabulary, config.Hidden);
            Multiply(wanted, head, DecoderGraph.Logits);                                                 // [N, V]
            graph.Output(DecoderGraph.Logits, OnnxType.Float, "N", config.Vocabulary);
        }

        private string Attention(int layer, string x, string cosines, string sines)
        {
            string[] parts = ["q_proj", "k_proj", "v_proj"];
            string Part(string part) => LlamaWeights.Layer(layer, $"self_attn.{part}");
            var (queries, keys) = (config.Heads * _headDim, config.KvHeads * _headDim);
            var packed = LlamaWeights.Layer(layer, "self_attn.qkv");

            var matrix = graph.Weight(packed + ".weight", [queries + 2 * keys, config.Hidden], file =>
            {
                foreach (var part in parts)
                {
                    CopyHeads(file, Part(part) + ".weight", config.Hidden);
                }
            });
            var qkv = Multiply(x, matrix);                                                               // [B, S, Q + 2K]
            if (config.AttentionBias)
            {
                qkv = Add(qkv, graph.Weight(packed + ".bias", [queries + 2 * keys], file =>
                {
                    foreach (var part in parts)
                    {
                        CopyHeads(file, Part(part) + ".bias", 1);
                    }
                }));
            }

            var mixed = $"attention_{layer}";
            Cache(DecoderGraph.PastKey(layer), DecoderGraph.PresentKey(layer));
            Cache(DecoderGraph.PastValue(layer), DecoderGraph.PresentValue(layer));
            graph.Node(
                "GroupQueryAttention",
                [qkv, "", "", DecoderGraph.PastKey(layer), DecoderGraph.PastValue(layer), DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength, cosines, sines],
                [mixed, DecoderGraph.PresentKey(layer), DecoderGraph.PresentValue(layer)],                // [B, S, Q]
                OnnxGraph.Microsoft,
                ("num_heads", config.Heads),
                ("kv_num_heads", config.KvHeads),
                ("do_rotary", 1),
                ("rotary_interleaved", 0),
                ("scale", (float)(1 / Math.Sqrt(config.HeadDim))));

            var output = graph.Weight(Part("o_proj") + ".weight", [config.Hidden, queries], file => CopyOutput(file, Part("o_proj") + ".weight"));
            return Biased(Multiply(mixed, output), Part("o_proj"), config.AttentionBias, config.Hidden);  // [B, S, H]
        }

        private string Mlp(int layer, string x)
        {
            string Part(string part) => LlamaWeights.Layer(layer, $"mlp.{part}");
            string[] parts = ["gate_proj", "up_proj"];
            long[] Merged(params long[] tail) => [2 * config.Intermediate, .. tail];
            var merged = graph.Weight(Part("gate_up") + ".weight", Merged(config.Hidden), file => CopyAll(file, parts.Select(p => Part(p) + ".weight")));
            var both = Multiply(x, merged);                                                              // [B, S, 2I]
            if (config.MlpBias)
            {
                both = Add(both, graph.Weight(Part("gate_up") + ".bias", Merged(), file => CopyAll(file, parts.Select(p => Part(p) + ".bias"))));
            }

            var (gate, up) = ($"gate_{layer}", $"up_{layer}");
            graph.Node("Split", [both], [gate, up], "", ("axis", -1), ("num_outputs", 2));               // [B, S, I] twice
            var open = graph.Node("QuickGelu", [gate], OnnxGraph.Microsoft, ("alpha", 1f));              // x * sigmoid(x) = SiLU
            var inner = graph.Node("Mul", [open, up]);                                                   // [B, S, I]
            var down = Multiply(inner, Weight(Part("down_proj") + ".weight", config.Hidden, config.Intermediate));
            return Biased(down, Part("down_proj"), config.MlpBias, config.Hidden);                       // [B, S, H]
        }

        /// <summary>RMS norm of residual + pending, and that sum.</summary>
        private (string Normed, string Sum) Norm(string residual, string? pending, string gamma)
        {
            var weight = Weight(gamma, config.Hidden);
            if (pending is null)
            {
                return (graph.Node("SimplifiedLayerNormalization", [residual, weight], "", ("axis", -1), _epsilon, ("stash_type", 1)), residual);
            }

            var (normed, sum) = (gamma + ".normed", gamma + ".sum");
            graph.Node("SkipSimplifiedLayerNormalization", [residual, pending, weight], [normed, "", "", sum], OnnxGraph.Microsoft, _epsilon);
            return (normed, sum);
        }

        private string Multiply(string x, string matrix) =>
            graph.Node("FusedMatMul", [x, matrix], OnnxGraph.Microsoft, ("transB", 1));

        private void Multiply(string x, string matrix, string output) =>
            graph.Node("FusedMatMul", [x, matrix], [output], OnnxGraph.Microsoft, ("transB", 1));

        private string Add(string x, string bias) => graph.Node("Add", [x, bias]);

        private string Biased(string x, string linear, bool bias, int width) => bias ? Add(x, Weight(linear + ".bias", width)) : x;

        private string Weight(string name, params long[] shape) =>
            graph.Weight(name, shape, file => CopyAll(file, [name]));

        private void CopyAll(WeightFile file, IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                file.Copy(weights, name, 0, weights.Find(name)!.Elements, cancel);
            }
        }

        /// <summary>
        /// A projection's heads [heads * head_dim, columns] at their stored width: each half of a head keeps its place
        /// in its half, so that the pairs that rotary positions turn stay pairs.
        /// </summary>
        private void CopyHeads(WeightFile file, string name, long columns)
        {
            var elements = weights.Find(name)!.Elements;
            if (_headDim == config.HeadDim)
            {
                file.Copy(weights, name, 0, elements, cancel);
                return;
            }

            var half = config.HeadDim / 2 * columns;
            for (long at = 0; at < elements; at += half)
            {
                file.Copy(weights, name, at, half, cancel);
                file.WriteZeros((_headDim - config.HeadDim) / 2 * columns);
            }
        }

        /// <summary>The output projection [H, heads * head_dim] with its columns where <see cref="CopyHeads"/> put the values' rows.</summary>
        private void CopyOutput(WeightFile file, string name) => CopyHeads(file, name, 1);

        private string Rotary(string name, double[] frequencies, Func<double, double> function) =>
            graph.Weight(name, [config.ContextLength, _headDim / 2], file =>
            {
                var row = new float[_headDim / 2];
                for (var position = 0; position < config.ContextLength; position++)
                {
                    RotaryTable.Fill(frequencies, position, function, row);
                    file.Write(row);
                }
            });

        private void Cache(string past, string present)
        {
            graph.Input(past, OnnxType.Float, "B", config.KvHeads, "M", _headDim);
            graph.Output(present, OnnxType.Float, "B", config.KvHeads, "M", _headDim);
        }
    }
}
