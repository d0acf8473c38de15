using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>Published weight names and shapes of the Llama layout (transformers' LlamaForCausalLM).</summary>
public static class LlamaWeights
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";

    /// <summary>The part of a layer: <c>model.layers.3.self_attn.q_proj.weight</c>.</summary>
    public static string Layer(int layer, string part) => $"model.layers.{layer}.{part}";

    /// <summary>Every weight of the model as it is published, in reading order. Projections are [out, in].</summary>
    public static IReadOnlyList<TensorInfo> Of(ModelConfig config)
    {
        List<TensorInfo> all = [];
        void Add(string name, params long[] shape) => all.Add(new TensorInfo(name, TensorType.F32, shape));
        void AddLinear(string name, bool bias, long output, long input)
        {
            Add(name + ".weight", output, input);
            if (bias)
            {
                Add(name + ".bias", output);
            }
        }

        var (hidden, queries, keys) = (config.Hidden, (long)config.Heads * config.HeadDim, (long)config.KvHeads * config.HeadDim);
        Add(Embedding, config.Vocabulary, hidden);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            Add(Layer(layer, "input_layernorm.weight"), hidden);
            AddLinear(Layer(layer, "self_attn.q_proj"), config.AttentionBias, queries, hidden);
            AddLinear(Layer(layer, "self_attn.k_proj"), config.AttentionBias, keys, hidden);
            AddLinear(Layer(layer, "self_attn.v_proj"), config.AttentionBias, keys, hidden);
            AddLinear(Layer(layer, "self_attn.o_proj"), config.AttentionBias, hidden, queries);
            Add(Layer(layer, "post_attention_layernorm.weight"), hidden);
            AddLinear(Layer(layer, "mlp.gate_proj"), config.MlpBias, config.Intermediate, hidden);
            AddLinear(Layer(layer, "mlp.up_proj"), config.MlpBias, config.Intermediate, hidden);
            AddLinear(Layer(layer, "mlp.down_proj"), config.MlpBias, hidden, config.Intermediate);
        }

        Add(FinalNorm, hidden);
        if (!config.TiedEmbeddings)
        {
            Add(Head, config.Vocabulary, hidden);
        }

        return all;
    }
}
