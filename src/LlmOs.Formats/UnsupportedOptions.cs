namespace LlmOs.Formats;

/// <summary>
/// Options of published configurations that change a model's numbers and are not implemented. A model that uses one
/// would load and answer fluent nonsense, so it is refused by the option's name.
/// </summary>
internal static class UnsupportedOptions
{
    /// <summary>Option, and the values (as JSON) with which it changes nothing. Absent and null always change nothing.</summary>
    private static readonly Dictionary<string, string[]> Neutral = new(StringComparer.Ordinal)
    {
        ["hidden_activation"] = ["\"silu\"", "\"swish\""],
        ["rope_interleaved"] = ["false"],
        ["partial_rotary_factor"] = ["1", "1.0"],
        ["rotary_pct"] = ["1", "1.0"],
        ["sliding_window"] = ["false"],
        ["use_sliding_window"] = ["false"],
        ["no_rope_layers"] = ["[]"],
        ["no_rope_layer_interval"] = ["0"],
        ["alibi"] = ["false"],
        ["use_qk_norm"] = ["false"],
        ["qk_layernorm"] = ["false"],
        ["attn_logit_softcapping"] = [],
        ["final_logit_softcapping"] = [],
        ["query_pre_attn_scalar"] = [],
        ["attention_multiplier"] = [],
        ["embedding_multiplier"] = ["1", "1.0"],
        ["residual_multiplier"] = ["1", "1.0"],
        ["logits_scaling"] = ["1", "1.0"],
        ["logit_scale"] = ["1", "1.0"],
        ["scale_emb"] = ["1", "1.0"],
        ["scale_depth"] = [],
        ["dim_model_base"] = [],
        ["clip_qkv"] = [],
        ["parallel_attn"] = ["false"],
        ["use_parallel_residual"] = ["false"],
        ["num_local_experts"] = ["0"],
        ["num_experts"] = ["0"],
        ["n_routed_experts"] = ["0"],
        ["cross_attention_layers"] = ["[]"],
        ["is_encoder_decoder"] = ["false"],
        ["use_mrope"] = ["false"],
        ["quantization_config"] = [],
        ["add_cross_attention"] = ["false"],
        ["is_decoder"] = ["false"],
        ["use_bidirectional_attention"] = ["false"],
        ["embedding_size"] = [],
        ["position_embedding_type"] = ["\"absolute\""],
        ["attention_chunk_size"] = [],
        ["attn_temperature_tuning"] = ["false"],
        ["num_kv_shared_layers"] = ["0"],
        ["hidden_size_per_layer_input"] = ["0"],
        ["mamba_d_state"] = [],
        ["normalize_before"] = ["false"],
        ["add_final_layer_norm"] = ["false"],
        ["share_encoder_decoder_embeddings"] = ["true"],
    };

    /// <param name="implemented">Options that the architecture honours.</param>
    /// <exception cref="ModelFormatException">One of the others is set; the message names it, its value and what is supported.</exception>
    public static void Refuse(ConfigJson config, IReadOnlyList<string> implemented)
    {
        foreach (var (option, neutral) in Neutral)
        {
            if (implemented.Contains(option))
            {
                continue;
            }

            if (config.RawText(option) is { } value && !neutral.Contains(value, StringComparer.Ordinal))
            {
                var supported = neutral.Length == 0 ? "leaving it out" : string.Join(" or ", neutral);
                throw new ModelFormatException(
                    ModelFormatProblem.UnsupportedArchitecture,
                    $"{config.File}: the option {option} = {Shorten(value)} is not supported; supported: {supported}.");
            }
        }

        if (!implemented.Contains("layer_types") && config.Texts("layer_types").FirstOrDefault(t => t != "full_attention") is { } type)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture,
                $"{config.File}: the option layer_types names '{type}', which is not supported; supported: full_attention.");
        }
    }

    private static string Shorten(string value) => value.Length > 80 ? value[..80] + "..." : value;
}
