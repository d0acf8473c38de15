using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Gemma 3, text only (arXiv 2503.19786, section 2): Gemma 2 with norms on query and key heads in place of the caps, five
/// windowed layers to one that sees all, and a rotary base for each kind. Its numbers are those of transformers' Gemma3ForCausalLM.
/// </summary>
internal static class Gemma3
{
    public static DecoderArchitecture Architecture { get; } = new("gemma3_text", "Gemma3ForCausalLM", Read, decoder => Gemma2.Build(decoder, headNorms: true))
    {
        LeftOver = [".rotary_emb.inv_freq", ".rotary_emb_local.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = Gemma2.Read(json, Gemma2.Spelling with { DefaultContext = 131_072, Rotary = false });
        var pattern = json.Whole("sliding_window_pattern", 1, 4096) ?? json.Whole("_sliding_window_pattern", 1, 4096) ?? 6;
        var both = json.Section("rope_parameters");
        // In the old spelling the scaling belongs to the layers that see all.
        return config with
        {
            Windows = LayerWindows.Read(json, config.Layers, LayerWindows.Width(json, "sliding_window") ?? 4096, layer => (layer + 1) % pattern != 0),
            AttentionSoftCap = json.Number("attn_logit_softcapping") ?? 0,
            LogitSoftCap = json.Number("final_logit_softcapping") ?? 0,
            Rope = RopeConfig.Read(json, both?.Section("full_attention") ?? json.Section("rope_scaling"), json.Number("rope_theta") ?? 1_000_000, 1, partial: false),
            LocalRope = RopeConfig.Read(json, both?.Section("sliding_attention"), json.Number("rope_local_base_freq") ?? 10_000, 1, partial: false),
        };
    }
}
