using System.Text.Json.Nodes;
using LlmOs.Formats;

namespace LlmOs.Models.Import.Gguf;

/// <summary>Architectures of GGUF files with layer norms: Command-R, StableLM, Falcon, Bloom, MPT, Phi 2.</summary>
internal static class GgufLayerNormed
{
    private const string Layer = "model.layers.{0}.";
    private const string Packed = "attn_qkv";

    public static IReadOnlyList<GgufLayout> All { get; } =
    [
        new("command-r", CommandR) { Outer = LlamaNames.Outer, Layer = Layer, Inner = LlamaNames.Inner },
        new("stablelm", StableLm)
        {
            Outer = LlamaNames.Outer,
            Layer = Layer,
            Inner = new Dictionary<string, string>(LlamaNames.Inner) { ["attn_q_norm"] = "self_attn.q_layernorm", ["attn_k_norm"] = "self_attn.k_layernorm" },
            Arrange = (_, part, whole) => part is "attn_q_norm" or "attn_k_norm" ? NormsApart(whole) : [whole],
        },
        new("falcon", Falcon)
        {
            Outer = new Dictionary<string, string> { ["token_embd"] = "transformer.word_embeddings", ["output_norm"] = "transformer.ln_f", ["output"] = "lm_head" },
            Layer = "transformer.h.{0}.",
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "input_layernorm", ["attn_norm_2"] = "ln_attn", [Packed] = "self_attention.query_key_value", ["attn_output"] = "self_attention.dense",
                ["ffn_up"] = "mlp.dense_h_to_4h", ["ffn_down"] = "mlp.dense_4h_to_h",
            },
            Arrange = (model, part, whole) => part switch
            {
                // Beside a second norm the first is that of the feed-forward layer.
                "attn_norm" when HasTwoNorms(model) => [whole with { Name = whole.Name.Replace("input_layernorm", "ln_mlp", StringComparison.Ordinal) }],
                Packed => [whole with { RowOf = RowOrders.GroupByGroup(model.Heads, model.KvHeads, model.HeadDim) }],
                _ => [whole],
            },
        },
        new("bloom", Bloom)
        {
            Outer = new Dictionary<string, string>
            {
                ["token_embd"] = "transformer.word_embeddings", ["token_embd_norm"] = "transformer.word_embeddings_layernorm", ["output_norm"] = "transformer.ln_f", ["output"] = "lm_head",
            },
            Layer = "transformer.h.{0}.",
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "input_layernorm", [Packed] = "self_attention.query_key_value", ["attn_output"] = "self_attention.dense",
                ["ffn_norm"] = "post_attention_layernorm", ["ffn_up"] = "mlp.dense_h_to_4h", ["ffn_down"] = "mlp.dense_4h_to_h",
            },
            Arrange = (model, part, whole) => part == Packed ? [whole with { RowOf = RowOrders.HeadByHead(model.Heads, model.HeadDim) }] : [whole],
        },
        new("mpt", Mpt)
        {
            Outer = new Dictionary<string, string> { ["token_embd"] = "transformer.wte", ["output_norm"] = "transformer.norm_f", ["output"] = "lm_head" },
            Layer = "transformer.blocks.{0}.",
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "norm_1", [Packed] = "attn.Wqkv", ["attn_output"] = "attn.out_proj", ["ffn_norm"] = "norm_2", ["ffn_up"] = "ffn.up_proj", ["ffn_down"] = "ffn.down_proj",
            },
        },
        new("phi2", Phi2)
        {
            Outer = new Dictionary<string, string> { ["token_embd"] = "model.embed_tokens", ["output_norm"] = "model.final_layernorm", ["output"] = "lm_head" },
            Layer = Layer,
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "input_layernorm", ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj", [Packed] = "self_attn.qkv",
                ["attn_output"] = "self_attn.dense", ["ffn_up"] = "mlp.fc1", ["ffn_down"] = "mlp.fc2",
            },
            Arrange = (model, part, whole) => part == Packed ? ThreeOf(model, whole) : [whole],
        },
    ];

    private static JsonObject CommandR(GgufModel model)
    {
        var config = Rotary(model, "cohere", "CohereForCausalLM", "silu");
        config["logit_scale"] = model.Number("logit_scale") is { } scale and not 0 ? scale : 1;
        config["use_qk_norm"] = model.LayersHave("attn_q_norm.weight");
        config["attention_bias"] = model.LayersHave("attn_q.bias");
        return config;
    }

    private static JsonObject StableLm(GgufModel model)
    {
        var config = Rotary(model, "stablelm", "StableLmForCausalLM", "silu");
        config["partial_rotary_factor"] = (double)model.RotaryDim / model.HeadDim;
        config["use_qkv_bias"] = model.LayersHave("attn_q.bias");
        config["qk_layernorm"] = model.LayersHave("attn_q_norm.weight");
        config["use_parallel_residual"] = !model.LayersHave("ffn_norm.weight");
        return config;
    }

    private static JsonObject Falcon(GgufModel model)
    {
        var config = Rotary(model, "falcon", "FalconForCausalLM", activation: null, "layer_norm_epsilon");
        Rename(config, ("num_key_value_heads", "num_kv_heads"), ("intermediate_size", "ffn_hidden_size"), ("head_dim", null));
        config["activation"] = "gelu";
        config["alibi"] = false;
        config["bias"] = false;
        config["parallel_attn"] = true;
        config["multi_query"] = true;
        config["new_decoder_architecture"] = model.KvHeads > 1 || HasTwoNorms(model);
        config["num_ln_in_parallel_attn"] = HasTwoNorms(model) ? 2 : 1;
        return config;
    }

    private static JsonObject Bloom(GgufModel model)
    {
        var config = FourTimes(model, model.LayerNormConfig("bloom", "BloomForCausalLM", "layer_norm_epsilon"));
        Rename(config, ("num_hidden_layers", "n_layer"), ("num_attention_heads", "n_head"), ("max_position_embeddings", "seq_length"), ("num_key_value_heads", null), ("head_dim", null));
        config["apply_residual_connection_post_layernorm"] = false;
        return config;
    }

    private static JsonObject Mpt(GgufModel model)
    {
        var config = FourTimes(model, model.LayerNormConfig("mpt", "MptForCausalLM", "layer_norm_epsilon"));
        Rename(config, ("hidden_size", "d_model"), ("num_hidden_layers", "n_layers"), ("num_attention_heads", "n_heads"), ("max_position_embeddings", "max_seq_len"), ("head_dim", null));
        config["expansion_ratio"] = 4;
        config["no_bias"] = !model.LayersHave("attn_norm.bias");
        var reach = model.Number("attention.max_alibi_bias") ?? 0;
        // What is not plain ALiBi the reader refuses by its name.
        config["attn_config"] = new JsonObject { ["alibi"] = reach > 0, ["alibi_bias_max"] = reach, ["clip_qkv"] = model.Number("attention.clamp_kqv"), ["qk_ln"] = model.LayersHave("attn_q_norm.weight") };
        return config;
    }

    private static JsonObject Phi2(GgufModel model)
    {
        var config = Rotary(model, "phi", "PhiForCausalLM", "gelu_new");
        config["partial_rotary_factor"] = (double)model.RotaryDim / model.HeadDim;
        return config;
    }

    private static JsonObject Rotary(GgufModel model, string modelType, string className, string? activation, string epsilon = "layer_norm_eps")
    {
        var config = model.LayerNormConfig(modelType, className, epsilon);
        model.AddRotary(config);
        if (activation is not null)
        {
            config["hidden_act"] = activation;
        }

        return config;
    }

    private static bool HasTwoNorms(GgufModel model) => model.LayersHave("attn_norm_2.weight");

    /// <summary>Takes away the width of the feed-forward layer, which the published configuration does not state.</summary>
    private static JsonObject FourTimes(GgufModel model, JsonObject config)
    {
        config.Remove("intermediate_size");
        return model.Need("feed_forward_length") == 4 * model.Hidden ? config : throw new ModelFormatException(
            ModelFormatProblem.UnsupportedArchitecture,
            $"{model.Metadata.File}: feed_forward_length is {model.Need("feed_forward_length")}; supported: four times the width, {4 * model.Hidden}.");
    }

    /// <summary>Gives fields the family's own names; null takes one away.</summary>
    private static void Rename(JsonObject config, params (string Common, string? Own)[] names)
    {
        foreach (var (common, own) in names)
        {
            if (own is not null)
            {
                config[own] = config[common]!.DeepClone();
            }

            config.Remove(common);
        }
    }

    /// <summary>Norms [heads, width] as one weight a head.</summary>
    private static IEnumerable<GgufPart> NormsApart(GgufPart whole) => whole.Shape is [var heads and <= 4096, var width]
        ? Enumerable.Range(0, (int)heads).Select(head => whole with
        {
            Name = whole.Name.Replace("norm.weight", $"norm.norms.{head}.weight", StringComparison.Ordinal),
            Shape = [width],
            FirstRow = head,
        })
        : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"Tensor '{whole.Tensor.Name}' is {whole.Tensor.ShapeText}; expected [heads, width].");

    /// <summary>Queries, keys and values of one tensor as three weights, or three biases.</summary>
    private static IEnumerable<GgufPart> ThreeOf(GgufModel model, GgufPart whole)
    {
        long at = 0;
        foreach (var (name, heads) in new[] { ("q_proj", model.Heads), ("k_proj", model.KvHeads), ("v_proj", model.KvHeads) })
        {
            var rows = (long)heads * model.HeadDim;
            yield return whole with { Name = whole.Name.Replace("self_attn.qkv.", $"self_attn.{name}.", StringComparison.Ordinal), Shape = [rows, .. whole.Shape.Skip(1)], FirstRow = at };
            at += rows;
        }
    }
}
