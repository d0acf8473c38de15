using System.Text.Json.Nodes;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Gguf;

/// <summary>
/// The architectures of GGUF files that are read, each beside what its weights are called where they are published. The
/// changes of order are those of llama.cpp's converter, undone: rotary pairs side by side (llama), heads apart (gptneox),
/// matrices turned (gpt2), norms with one added (gemma).
/// </summary>
internal static class GgufLayouts
{
    private static readonly Dictionary<string, string> GemmaInner = new(LlamaNames.Inner)
    {
        ["post_attention_norm"] = "post_attention_layernorm",
        ["ffn_norm"] = "pre_feedforward_layernorm",
        ["post_ffw_norm"] = "post_feedforward_layernorm",
    };

    public static IReadOnlyList<GgufLayout> All { get; } =
    [
        new("llama", Llama)
        {
            Outer = LlamaNames.Outer,
            Layer = "model.layers.{0}.",
            Inner = new Dictionary<string, string>(LlamaNames.Inner)
            {
                ["ffn_gate_inp"] = "block_sparse_moe.gate",
                ["ffn_gate_exps"] = "block_sparse_moe.experts.{0}.w1",
                ["ffn_up_exps"] = "block_sparse_moe.experts.{0}.w3",
                ["ffn_down_exps"] = "block_sparse_moe.experts.{0}.w2",
            },
            Arrange = ArrangeLlama,
        },
        new("qwen2", model => model.RotaryConfig("qwen2", "Qwen2ForCausalLM")) { Outer = LlamaNames.Outer, Layer = "model.layers.{0}.", Inner = LlamaNames.Inner },
        new("qwen3", model => model.RotaryConfig("qwen3", "Qwen3ForCausalLM")) { Outer = LlamaNames.Outer, Layer = "model.layers.{0}.", Inner = LlamaNames.Inner },
        new("qwen3moe", Qwen3Moe)
        {
            Outer = LlamaNames.Outer,
            Layer = "model.layers.{0}.",
            Inner = new Dictionary<string, string>(LlamaNames.Inner)
            {
                ["ffn_gate_inp"] = "mlp.gate",
                ["ffn_gate_exps"] = "mlp.experts.{0}.gate_proj",
                ["ffn_up_exps"] = "mlp.experts.{0}.up_proj",
                ["ffn_down_exps"] = "mlp.experts.{0}.down_proj",
            },
            Arrange = (_, part, whole) => Experts(part, whole),
        },
        new("gemma", Gemma) { Outer = LlamaNames.Outer, Layer = "model.layers.{0}.", Inner = LlamaNames.Inner, Arrange = WithoutOne },
        new("gemma2", Gemma2) { Outer = LlamaNames.Outer, Layer = "model.layers.{0}.", Inner = GemmaInner, Arrange = WithoutOne },
        new("gemma3", Gemma3) { Outer = LlamaNames.Outer, Layer = "model.layers.{0}.", Inner = GemmaInner, Arrange = WithoutOne },
        new("phi3", Phi3)
        {
            Outer = LlamaNames.Outer,
            Layer = "model.layers.{0}.",
            Inner = new Dictionary<string, string>(LlamaNames.Inner) { ["attn_qkv"] = "self_attn.qkv_proj", ["ffn_up"] = "mlp.gate_up_proj" },
        },
        new("gpt2", Gpt2)
        {
            Outer = new Dictionary<string, string>
            {
                ["token_embd"] = "transformer.wte", ["position_embd"] = "transformer.wpe", ["output_norm"] = "transformer.ln_f", ["output"] = "lm_head",
            },
            Layer = "transformer.h.{0}.",
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "ln_1", ["attn_qkv"] = "attn.c_attn", ["attn_output"] = "attn.c_proj",
                ["ffn_norm"] = "ln_2", ["ffn_up"] = "mlp.c_fc", ["ffn_down"] = "mlp.c_proj",
            },
            Arrange = (_, part, whole) => part is "attn_qkv" or "attn_output" or "ffn_up" or "ffn_down" && whole.Shape is [var rows, var columns]
                ? [whole with { Shape = [columns, rows], Turned = true }]
                : [whole],
        },
        new("gptneox", GptNeoX)
        {
            Outer = new Dictionary<string, string>
            {
                ["token_embd"] = "gpt_neox.embed_in", ["output_norm"] = "gpt_neox.final_layer_norm", ["output"] = "embed_out",
            },
            Layer = "gpt_neox.layers.{0}.",
            Inner = new Dictionary<string, string>
            {
                ["attn_norm"] = "input_layernorm", ["attn_qkv"] = "attention.query_key_value", ["attn_output"] = "attention.dense",
                ["ffn_norm"] = "post_attention_layernorm", ["ffn_up"] = "mlp.dense_h_to_4h", ["ffn_down"] = "mlp.dense_4h_to_h",
            },
            Arrange = (model, part, whole) => part == "attn_qkv" ? [whole with { RowOf = RowOrders.HeadByHead(model.Heads, model.HeadDim) }] : [whole],
        },
        .. GgufLlamaKin.All,
        .. GgufLayerNormed.All,
    ];

    /// <summary>The layout of the architecture that a file names.</summary>
    /// <exception cref="ModelFormatException">It names none, or one that is not read.</exception>
    public static GgufLayout Of(GgufMetadata metadata)
    {
        var name = metadata.Text("general.architecture") ?? throw metadata.Missing("general.architecture");
        return All.FirstOrDefault(layout => layout.Architecture == name) ?? throw new ModelFormatException(
            ModelFormatProblem.UnsupportedArchitecture,
            $"{metadata.File}: the architecture '{ModelName.Shorten(name)}' is not read from GGUF; read are {string.Join(", ", All.Select(l => l.Architecture))}.");
    }

    private static JsonObject Llama(GgufModel model)
    {
        if (model.RotaryDim != model.HeadDim)
        {
            throw model.Metadata.Corrupt("llama.rope.dimension_count", $"is {model.RotaryDim}, but heads have {model.HeadDim} elements and Llama turns whole heads");
        }

        if (model.Whole("expert_count") is { } experts)
        {
            var mixtral = model.RotaryConfig("mixtral", "MixtralForCausalLM");
            mixtral["num_local_experts"] = experts;
            mixtral["num_experts_per_tok"] = model.Need("expert_used_count");
            mixtral["sliding_window"] = null;
            return mixtral;
        }

        var config = model.RotaryConfig("llama", "LlamaForCausalLM");
        config["attention_bias"] = model.File.Find("blk.0.attn_q.bias") is not null;
        config["mlp_bias"] = model.File.Find("blk.0.ffn_gate.bias") is not null;
        return config;
    }

    private static JsonObject Qwen3Moe(GgufModel model)
    {
        var config = model.RotaryConfig("qwen3_moe", "Qwen3MoeForCausalLM");
        config["num_experts"] = model.Need("expert_count");
        config["num_experts_per_tok"] = model.Need("expert_used_count");
        config["moe_intermediate_size"] = model.Need("expert_feed_forward_length");
        config["norm_topk_prob"] = true;
        config["decoder_sparse_step"] = 1;
        config["mlp_only_layers"] = new JsonArray();
        return config;
    }

    private static JsonObject Gemma(GgufModel model) => GeluTanh(model.RotaryConfig("gemma", "GemmaForCausalLM"));

    private static JsonObject Gemma2(GgufModel model)
    {
        var config = GeluTanh(model.RotaryConfig("gemma2", "Gemma2ForCausalLM"));
        config["attn_logit_softcapping"] = model.Number("attn_logit_softcapping") ?? 50;
        config["final_logit_softcapping"] = model.Number("final_logit_softcapping") ?? 30;
        config["sliding_window"] = model.Window ?? 4096;
        // Not stored in the file: only the 27B model scales by hidden size / heads.
        config["query_pre_attn_scalar"] = model.Layers == 46 ? model.Hidden / model.Heads : model.HeadDim;
        return config;
    }

    private static JsonObject Gemma3(GgufModel model)
    {
        var config = GeluTanh(model.RotaryConfig("gemma3_text", "Gemma3ForCausalLM"));
        config["rope_local_base_freq"] = 10_000;
        config["sliding_window"] = model.Window ?? 1024;
        config["sliding_window_pattern"] = model.Whole("attention.sliding_window_pattern") ?? 6;
        config["query_pre_attn_scalar"] = model.Layers == 62 ? model.Hidden / model.Heads : model.HeadDim;
        return config;
    }

    private static JsonObject Phi3(GgufModel model)
    {
        var config = model.RotaryConfig("phi3", "Phi3ForCausalLM");
        config["partial_rotary_factor"] = (double)model.RotaryDim / model.HeadDim;
        config["original_max_position_embeddings"] = model.Whole("rope.scaling.original_context_length") ?? model.Need("context_length");
        config["sliding_window"] = model.Window;
        if (model.Values("rope_factors_long.weight") is { } far && model.Values("rope_factors_short.weight") is { } near)
        {
            config["rope_scaling"] = new JsonObject { ["type"] = "longrope", ["long_factor"] = List(far), ["short_factor"] = List(near) };
        }

        return config;

        static JsonArray List(float[] values) => [.. values.Select(v => (JsonNode)v)];
    }

    private static JsonObject Gpt2(GgufModel model)
    {
        var config = model.Config("gpt2", "GPT2LMHeadModel");
        foreach (var (common, own) in new[] { ("hidden_size", "n_embd"), ("intermediate_size", "n_inner"), ("num_hidden_layers", "n_layer"), ("num_attention_heads", "n_head"), ("max_position_embeddings", "n_positions") })
        {
            config[own] = config[common]!.DeepClone();
            config.Remove(common);
        }

        config.Remove("num_key_value_heads");
        config.Remove("head_dim");
        config["layer_norm_epsilon"] = model.Number("attention.layer_norm_epsilon") ?? 1e-5;
        config["activation_function"] = "gelu_new";
        return config;
    }

    private static JsonObject GptNeoX(GgufModel model)
    {
        var config = model.Config("gpt_neox", "GPTNeoXForCausalLM");
        config.Remove("num_key_value_heads");
        config.Remove("head_dim");
        config["layer_norm_eps"] = model.Number("attention.layer_norm_epsilon") ?? 1e-5;
        config["hidden_act"] = "gelu";
        config["rotary_pct"] = (double)model.RotaryDim / model.HeadDim;
        config["rotary_emb_base"] = model.Number("rope.freq_base") ?? 10_000;
        config["use_parallel_residual"] = model.Flag("use_parallel_residual") ?? true;
        return config;
    }

    private static JsonObject GeluTanh(JsonObject config)
    {
        config["hidden_act"] = "gelu_pytorch_tanh";
        config["hidden_activation"] = "gelu_pytorch_tanh";
        return config;
    }

    private static IEnumerable<GgufPart> ArrangeLlama(GgufModel model, string part, GgufPart whole) => part switch
    {
        "attn_q" or "attn_k" => [whole with { RowOf = RowOrders.PairsApart(model.HeadDim) }],
        _ => Experts(part, whole),
    };

    /// <summary>A tensor [experts, out, in] as one weight an expert.</summary>
    private static IEnumerable<GgufPart> Experts(string part, GgufPart whole)
    {
        if (!part.EndsWith("_exps", StringComparison.Ordinal))
        {
            return [whole];
        }

        if (whole.Shape is not [var experts and <= 4096, var rows, var columns])
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"Tensor '{whole.Tensor.Name}' is {whole.Tensor.ShapeText}; expected [experts, out, in].");
        }

        return Enumerable.Range(0, (int)experts).Select(e => whole with
        {
            Name = ExpertName(whole.Name, e),
            Shape = [rows, columns],
            FirstRow = e * rows,
        });
    }

    /// <summary>The layer's number is filled in already; what is left in braces is the expert's.</summary>
    private static string ExpertName(string name, int expert) => name.Replace("{0}", expert.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static IEnumerable<GgufPart> WithoutOne(GgufModel model, string part, GgufPart whole) =>
        [part.EndsWith("norm", StringComparison.Ordinal) ? whole with { Offset = -1 } : whole];
}
