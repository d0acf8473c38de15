using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// OPT (arXiv 2205.01068): GPT-2's layers with learned positions from row 2 on; the 350M model has its norms behind each half and
/// embeddings narrower than its layers. Its numbers are those of transformers' OPTForCausalLM.
/// </summary>
internal static class Opt
{
    private const string Body = "model.decoder";
    private const int FirstRow = 2;

    public static DecoderArchitecture Architecture { get; } = new("opt", "OPTForCausalLM", Read, Build)
    {
        Rename = name => name.StartsWith("decoder.", StringComparison.Ordinal) ? "model." + name : name,
        Ties = WeightTies.Head(Body + ".embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        foreach (var option in new[] { "enable_bias", "layer_norm_elementwise_affine" })
        {
            if (json.Flag(option) == false)
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option {option} = false is not supported; supported: true.");
            }
        }

        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Intermediate = "ffn_dim",
            Epsilon = "layer_norm_eps", // never stated: the classes fix it
            DefaultEpsilon = 1e-5,
            Activation = "activation_function",
            DefaultActivation = "relu",
            DefaultTied = true,
            Rotary = false,
        });
        return config with
        {
            EmbeddingWidth = json.Whole("word_embed_proj_dim", 1, 1 << 18) is { } width && width != config.Hidden ? width : 0,
            PreNorm = json.Flag("do_layer_norm_before") ?? true,
            LastNorm = (json.Flag("do_layer_norm_before") ?? true) && json.Flag("_remove_final_layer_norm") != true,
        };
    }

    private static void Build(DecoderWriter decoder)
    {
        var (config, writer) = (decoder.Config, decoder.Writer);
        var width = config.EmbeddingWidth;
        decoder.Embed(Body + ".embed_tokens");
        if (width > 0)
        {
            decoder.Replace(writer.Linear(decoder.State(), Body + ".project_in", config.Hidden, width, bias: false));
        }

        decoder.AddPositions(Body + ".embed_positions", FirstRow);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}.layers.{layer}";
            var weights = AttentionWeights.Projections(config, $"{at}.self_attn", "out_proj");
            var options = new AttentionOptions { Bias = true, OutputBias = true, Rotary = false };
            var number = layer;
            decoder.OutputState();
            decoder.Half(config.PreNorm, $"{at}.self_attn_layer_norm", x => decoder.Attention(number, x, weights, options));
            decoder.Half(config.PreNorm, $"{at}.final_layer_norm", x => decoder.Mlp(x, $"{at}.fc1", $"{at}.fc2"));
        }

        var last = config.LastNorm ? decoder.LayerNorm(Body + ".final_layer_norm") : decoder.State();
        decoder.Head(width > 0 ? writer.Linear(last, Body + ".project_out", width, config.Hidden, bias: false) : last, "lm_head");
    }
}
