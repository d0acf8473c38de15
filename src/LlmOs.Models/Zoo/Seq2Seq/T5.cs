using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Seq2Seq;

/// <summary>
/// T5, Flan-T5 and mT5 (arXiv 1910.10683, section 2.1; arXiv 2010.11934): RMS norms, biases on scores by distance instead of
/// positions, scores that are not scaled. Its numbers are those of transformers' T5 and MT5 classes.
/// </summary>
/// <remarks>Version 1.0 ties its head and scales what goes into it; later versions have a head of their own and scale nothing.</remarks>
internal static class T5
{
    /// <summary>Both sides have the same embedding, under any of these names.</summary>
    private static readonly string[] Embeddings = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];

    public static IReadOnlyList<Architecture> Architectures { get; } = [Make("t5", "T5ForConditionalGeneration"), Make("mt5", "MT5ForConditionalGeneration")];

    private static Seq2SeqArchitecture Make(string type, string name) => new(type, name, Read, BuildEncoder, BuildDecoder)
    {
        LeftOver = ["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"],
        Ties = config => config.TiedEmbeddings ? [[.. Embeddings, "lm_head.weight"]] : [Embeddings],
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Hidden = "d_model",
            Intermediate = "d_ff",
            Layers = "num_layers",
            Heads = "num_heads",
            HeadDim = "d_kv",
            DefaultHeadDim = 64,
            Context = "n_positions",
            DefaultContext = 512,
            Epsilon = "layer_norm_epsilon",
            Activation = "dense_act_fn",
            DefaultActivation = ActivationOf(json),
            DefaultTied = true,
            Rotary = false,
            Implemented = ["is_encoder_decoder"],
        });
        return config with
        {
            AttentionScale = 1,
            Seq2Seq = new Seq2SeqConfig
            {
                DecoderLayers = json.Whole("num_decoder_layers", 1, 4096) ?? config.Layers,
                DecoderHeads = config.Heads,
                DecoderHeadDim = config.HeadDim,
                DecoderIntermediate = config.Intermediate,
                StartToken = json.Whole("decoder_start_token_id", 0, int.MaxValue) ?? config.PadToken ?? 0,
                MaxSource = config.ContextLength,
                // Written since transformers 5, which calls every head tied; before, the tie said it.
                HeadScale = config.ModelType == "t5" && (json.Flag("scale_decoder_outputs") ?? config.TiedEmbeddings) ? 1 / Math.Sqrt(config.Hidden) : 1,
                Gated = json.Flag("is_gated_act") ?? json.Text("feed_forward_proj")?.StartsWith("gated-", StringComparison.Ordinal) ?? false,
                RelativeBuckets = json.Whole("relative_attention_num_buckets", 2, 4096) ?? 32,
                RelativeDistance = json.Whole("relative_attention_max_distance", 2, 1 << 20) ?? 128,
            },
        };
    }

    /// <summary><c>feed_forward_proj</c> names the activation where <c>dense_act_fn</c> does not; <c>gated-gelu</c> means its tanh form.</summary>
    private static string ActivationOf(ConfigJson json) => json.Text("feed_forward_proj") switch
    {
        null => "relu",
        "gated-gelu" => "gelu_new",
        var name => name.Replace("gated-", "", StringComparison.Ordinal),
    };

    private static void BuildEncoder(EncoderWriter encoder)
    {
        var (config, writer, settings) = (encoder.Config, encoder.Writer, encoder.Config.Seq2Seq!);
        var options = new EncoderAttention
        {
            Heads = config.Heads,
            HeadDim = config.HeadDim,
            Bias = false,
            Scale = 1,
            ScoreBias = RelativeBias.OfEncoder(
                encoder, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", settings.RelativeBuckets, settings.RelativeDistance),
        };
        var x = encoder.State(encoder.Embed("encoder.embed_tokens"));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"encoder.block.{layer}";
            var own = $"{at}.layer.0.SelfAttention";
            var attended = encoder.SelfAttention(Norm(encoder, x, $"{at}.layer.0.layer_norm"), new AttentionLayers($"{own}.q", $"{own}.k", $"{own}.v", $"{own}.o"), options);
            x = writer.Add(x, attended);
            var normed = Norm(encoder, x, $"{at}.layer.1.layer_norm");
            x = writer.Add(x, FeedForward(writer, config, normed, $"{at}.layer.1.DenseReluDense", settings.Gated, config.Intermediate));
            if (layer < config.Layers - 1)
            {
                encoder.State(x);
            }
        }

        x = encoder.State(Norm(encoder, x, "encoder.final_layer_norm"));
        encoder.WriteStates(x, pooler: null);
        for (var layer = 0; layer < settings.DecoderLayers; layer++)
        {
            var cross = $"decoder.block.{layer}.layer.1.EncDecAttention";
            encoder.WriteCross(layer, x, $"{cross}.k", $"{cross}.v", bias: false);
        }
    }

    private static void BuildDecoder(DecoderWriter decoder)
    {
        var (config, settings) = (decoder.Config, decoder.Config.Seq2Seq!);
        var options = new AttentionOptions
        {
            Rotary = false,
            ScoreBias = RelativeBias.OfDecoder(decoder, "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
        };
        decoder.Embed("decoder.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"decoder.block.{layer}";
            var (own, cross) = ($"{at}.layer.0.SelfAttention", $"{at}.layer.1.EncDecAttention");
            var weights = AttentionWeights.Separate($"{own}.q", $"{own}.k", $"{own}.v", $"{own}.o", config.Heads, config.KvHeads, config.HeadDim);
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.layer.0.layer_norm"), weights, options));
            decoder.Add(decoder.CrossAttention(layer, decoder.RmsNorm($"{at}.layer.1.layer_norm"), $"{cross}.q", $"{cross}.o", bias: false));
            decoder.Add(FeedForward(decoder.Writer, config, decoder.RmsNorm($"{at}.layer.2.layer_norm"), $"{at}.layer.2.DenseReluDense", settings.Gated, config.Intermediate));
        }

        decoder.Head(decoder.RmsNorm("decoder.final_layer_norm"), "lm_head", scale: settings.HeadScale);
    }

    private static string Norm(EncoderWriter encoder, string x, string name) =>
        encoder.Writer.RmsNorm(x, encoder.Writer.Weight(name + ".weight", encoder.Config.Hidden), encoder.Config.NormEpsilon);

    private static string FeedForward(GraphWriter writer, ModelConfig config, string x, string at, bool gated, int width)
    {
        var inner = gated
            ? writer.Multiply(
                writer.Activate(config.Activation, writer.Linear(x, $"{at}.wi_0", width, config.Hidden, bias: false)),
                writer.Linear(x, $"{at}.wi_1", width, config.Hidden, bias: false))
            : writer.Activate(config.Activation, writer.Linear(x, $"{at}.wi", width, config.Hidden, bias: false));
        return writer.Linear(inner, $"{at}.wo", config.Hidden, width, bias: false);
    }
}
