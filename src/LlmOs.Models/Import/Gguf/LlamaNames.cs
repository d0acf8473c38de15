namespace LlmOs.Models.Import.Gguf;

/// <summary>GGUF's names, and those of Llama's published weights, which many families share.</summary>
internal static class LlamaNames
{
    /// <summary>Outside the layers.</summary>
    public static IReadOnlyDictionary<string, string> Outer { get; } = new Dictionary<string, string>
    {
        ["token_embd"] = "model.embed_tokens",
        ["output_norm"] = "model.norm",
        ["output"] = "lm_head",
    };

    /// <summary>Inside a layer.</summary>
    public static IReadOnlyDictionary<string, string> Inner { get; } = new Dictionary<string, string>
    {
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };
}
