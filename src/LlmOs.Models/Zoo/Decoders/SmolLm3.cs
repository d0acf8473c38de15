using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// SmolLM3: Llama in which some layers, every fourth as published, have no rotary positions (NoPE, arXiv 2501.18795). Its
/// numbers are those of transformers' SmolLM3ForCausalLM.
/// </summary>
internal static class SmolLm3
{
    public static DecoderArchitecture Architecture { get; } = new("smollm3", "SmolLM3ForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            DefaultContext = 32_768,
            DefaultTied = true,
            Implemented = ["no_rope_layers", "no_rope_layer_interval", "use_sliding_window", "sliding_window", "layer_types"],
        });
        var turns = json.IsStated("no_rope_layers") ? json.Ids("no_rope_layers") : [];
        if (turns.Count == 0)
        {
            var interval = json.Whole("no_rope_layer_interval", 1, 4096) ?? 4;
            turns = [.. Enumerable.Range(1, config.Layers).Select(layer => layer % interval != 0 ? 1 : 0)];
        }

        if (turns.Count != config.Layers)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'no_rope_layers' names {turns.Count} layers; the model has {config.Layers}.");
        }

        var window = LayerWindows.Width(json, "sliding_window");
        var slides = json.Flag("use_sliding_window") == true && window is not null;
        return config with
        {
            AttentionBias = json.Flag("attention_bias") ?? false,
            MlpBias = json.Flag("mlp_bias") ?? false,
            // In spite of its name the list holds 1 for the layers that turn.
            LayersWithoutRope = [.. Enumerable.Range(0, config.Layers).Where(layer => turns[layer] == 0)],
            Windows = LayerWindows.Read(json, config.Layers, window, layer => slides && turns[layer] == 0),
        };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        LlamaGraph.Build(decoder, layer => new AttentionOptions
        {
            Bias = config.AttentionBias,
            OutputBias = config.AttentionBias,
            Rotary = !config.LayersWithoutRope.Contains(layer),
        });
    }
}
