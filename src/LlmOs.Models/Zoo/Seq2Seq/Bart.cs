using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Seq2Seq;

/// <summary>
/// BART (arXiv 1910.13461, section 2), mBART (arXiv 2001.08210), Marian (arXiv 1804.00344), Pegasus (arXiv 1912.08777), M2M-100
/// (arXiv 2010.11125) and NLLB (arXiv 2207.04672): layer norms, biases everywhere, positions learned (from row 2 on) or
/// sinusoidal. Their numbers are those of transformers' Bart, MBart, Marian, Pegasus and M2M100 classes.
/// </summary>
internal static class Bart
{
    /// <summary>The two first rows of a learned table belong to nothing.</summary>
    private const int FirstRow = 2;

    /// <summary>Both sides have the same embedding, under any of these names.</summary>
    private static readonly string[] Embeddings = ["model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"];

    private static readonly string[] Buffers = ["embed_positions.weight_sinusoidal"];

    /// <summary>Tables that follow from their size, and are stored by some.</summary>
    private static readonly string[] Made = [.. Buffers, "model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight", "embed_positions.weights"];

    private static readonly BartStyle BartOwn = new(PreNorm: false, PositionKind.Learned);
    private static readonly BartStyle MBart = new(PreNorm: true, PositionKind.Learned);
    private static readonly BartStyle Marian = new(PreNorm: false, PositionKind.Sinusoids);
    private static readonly BartStyle Pegasus = new(PreNorm: true, PositionKind.Sinusoids) { StartToken = 0 };
    private static readonly BartStyle M2M100 = new(PreNorm: true, PositionKind.Fairseq) { Activation = "relu", ScalesEmbeddings = true, HasLogitBias = false };

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("bart", "BartForConditionalGeneration", BartOwn),
        Make("mbart", "MBartForConditionalGeneration", MBart),
        Make("marian", "MarianMTModel", Marian),
        Make("pegasus", "PegasusForConditionalGeneration", Pegasus),
        Make("m2m_100", "M2M100ForConditionalGeneration", M2M100),
        new EncoderArchitecture("bart", "BartForSequenceClassification", EncoderHead.TextLabels, HasTypes: false, HasPooler: false, json => Read(json, BartOwn), Classify) { LeftOver = Buffers, Ties = Tied },
    ];

    private enum PositionKind
    {
        Learned,
        Sinusoids,

        /// <summary>Sines and cosines counted from the padding id on.</summary>
        Fairseq,
    }

    /// <summary>In what the families differ, and what their configurations leave out.</summary>
    /// <param name="PreNorm">Norms before each half, and one at the end, instead of one behind each half.</param>
    private sealed record BartStyle(bool PreNorm, PositionKind Positions)
    {
        public string Activation { get; init; } = "gelu";

        public bool ScalesEmbeddings { get; init; }

        /// <summary>The decoder's first token; null: the end token.</summary>
        public int? StartToken { get; init; }

        public bool HasLogitBias { get; init; } = true;
    }

    private static Seq2SeqArchitecture Make(string type, string name, BartStyle style) =>
        new(type, name, json => Read(json, style), e => Encode(e, style), d => Decode(d, style)) { LeftOver = style.Positions == PositionKind.Learned ? Buffers : Made, Ties = Tied };

    private static IReadOnlyList<IReadOnlyList<string>> Tied(ModelConfig config) => config.TiedEmbeddings ? [[.. Embeddings, "lm_head.weight"]] : [Embeddings];

    private static ModelConfig Read(ConfigJson json, BartStyle style)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Hidden = "d_model",
            Intermediate = "encoder_ffn_dim",
            Layers = "encoder_layers",
            Heads = "encoder_attention_heads",
            Epsilon = "layer_norm_eps", // never stated: the classes fix it
            DefaultEpsilon = 1e-5,
            DefaultContext = 1024,
            Activation = "activation_function",
            DefaultActivation = style.Activation,
            DefaultTied = true,
            Rotary = false,
            Implemented = style.PreNorm ? ["is_encoder_decoder", "normalize_before", "add_final_layer_norm"] : ["is_encoder_decoder"],
        });
        var heads = json.Whole("decoder_attention_heads", 1, 1 << 18) ?? config.Heads;
        if (config.Hidden % heads != 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: d_model ({config.Hidden}) is not a multiple of decoder_attention_heads ({heads}).");
        }

        return config with
        {
            Labels = Encoders.EncoderConfigs.Labels(json),
            Seq2Seq = new Seq2SeqConfig
            {
                DecoderLayers = json.Whole("decoder_layers", 1, 4096) ?? config.Layers,
                DecoderHeads = heads,
                DecoderHeadDim = config.Hidden / heads,
                DecoderIntermediate = json.Whole("decoder_ffn_dim", 1, 1 << 18) ?? config.Intermediate,
                StartToken = json.Whole("decoder_start_token_id", 0, int.MaxValue) ?? style.StartToken ?? EndOf(config),
                MaxSource = config.ContextLength,
                EmbeddingScale = (json.Flag("scale_embedding") ?? style.ScalesEmbeddings) ? Math.Sqrt(config.Hidden) : 1,
            },
        };
    }

    private static void Encode(EncoderWriter encoder, BartStyle style)
    {
        var x = EncoderLayers(encoder, style);
        encoder.WriteStates(x, pooler: null);
        for (var layer = 0; layer < encoder.Config.Seq2Seq!.DecoderLayers; layer++)
        {
            var at = $"model.decoder.layers.{layer}.encoder_attn";
            encoder.WriteCross(layer, x, $"{at}.k_proj", $"{at}.v_proj", bias: true);
        }
    }

    private static string EncoderLayers(EncoderWriter encoder, BartStyle style)
    {
        var (config, preNorm) = (encoder.Config, style.PreNorm);
        const string Body = "model.encoder";
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim };
        var x = Begin(encoder, EncoderNames.InputIds, Body, style.Positions);
        encoder.State(x);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}.layers.{layer}";
            string Attend(string input) => encoder.SelfAttention(input, Layers($"{at}.self_attn"), options);
            string Feed(string input) => encoder.Mlp(input, $"{at}.fc1", $"{at}.fc2", config.Intermediate);
            x = Half(encoder, preNorm, x, $"{at}.self_attn_layer_norm", Attend);
            x = Half(encoder, preNorm, x, $"{at}.final_layer_norm", Feed);
            if (!preNorm || layer < config.Layers - 1)
            {
                encoder.State(x);
            }
        }

        return preNorm ? encoder.State(encoder.Norm(x, $"{Body}.layer_norm")) : x;
    }

    private static void Decode(DecoderWriter decoder, BartStyle style)
    {
        var (config, settings, preNorm) = (decoder.Config, decoder.Config.Seq2Seq!, style.PreNorm);
        const string Body = "model.decoder";
        decoder.Embed($"{Body}.embed_tokens", settings.EmbeddingScale);
        switch (style.Positions)
        {
            case PositionKind.Learned:
                decoder.AddPositions($"{Body}.embed_positions", FirstRow);
                decoder.Replace(decoder.LayerNorm($"{Body}.layernorm_embedding"));
                break;
            case PositionKind.Sinusoids:
                decoder.AddSinusoids();
                break;
            case PositionKind.Fairseq:
                decoder.AddFairseqSinusoids();
                break;
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}.layers.{layer}";
            var own = $"{at}.self_attn";
            var weights = AttentionWeights.Projections(config, own, "out_proj");
            var options = new AttentionOptions { Bias = true, OutputBias = true, Rotary = false };
            var number = layer;
            decoder.OutputState();
            decoder.Half(preNorm, $"{at}.self_attn_layer_norm", x => decoder.Attention(number, x, weights, options));
            decoder.Half(preNorm, $"{at}.encoder_attn_layer_norm", x => decoder.CrossAttention(number, x, $"{at}.encoder_attn.q_proj", $"{at}.encoder_attn.out_proj", bias: true));
            decoder.Half(preNorm, $"{at}.final_layer_norm", x => decoder.Mlp(x, $"{at}.fc1", $"{at}.fc2"));
        }

        decoder.Head(preNorm ? decoder.LayerNorm($"{Body}.layer_norm") : decoder.State(), "lm_head", logitBias: style.HasLogitBias ? "final_logits_bias" : null);
    }

    /// <summary>The classifier reads the decoder's state at the text's last end token; the decoder reads the text itself, one place later.</summary>
    private static void Classify(EncoderWriter encoder)
    {
        var (config, settings, writer, graph) = (encoder.Config, encoder.Config.Seq2Seq!, encoder.Writer, encoder.Writer.Graph);
        const string Body = "model.decoder";
        var memory = EncoderLayers(encoder, BartOwn);
        encoder.WriteStates(memory, pooler: null);

        var first = graph.Node("Slice", [EncoderNames.InputIds, writer.Wholes(0), writer.Wholes(1), writer.Wholes(1)]);   // [B, 1]
        var start = writer.Add(writer.Multiply(first, writer.Whole(0)), writer.Whole(settings.StartToken));
        var rest = graph.Node("Slice", [EncoderNames.InputIds, writer.Wholes(0), writer.Wholes(-1), writer.Wholes(1)]);   // [B, S - 1]
        var shifted = graph.Node("Concat", [start, rest], attributes: ("axis", 1));                                       // [B, S]

        var own = new EncoderAttention { Heads = settings.DecoderHeads, HeadDim = settings.DecoderHeadDim, Causal = true, Masked = false };
        var cross = new EncoderAttention { Heads = settings.DecoderHeads, HeadDim = settings.DecoderHeadDim };
        var x = Begin(encoder, shifted, Body, PositionKind.Learned);
        for (var layer = 0; layer < settings.DecoderLayers; layer++)
        {
            var at = $"{Body}.layers.{layer}";
            x = Half(encoder, false, x, $"{at}.self_attn_layer_norm", y => encoder.SelfAttention(y, Layers($"{at}.self_attn"), own));
            x = Half(encoder, false, x, $"{at}.encoder_attn_layer_norm", y => encoder.CrossAttention(y, memory, Layers($"{at}.encoder_attn"), cross));
            x = Half(encoder, false, x, $"{at}.final_layer_norm", y => encoder.Mlp(y, $"{at}.fc1", $"{at}.fc2", settings.DecoderIntermediate));
        }

        var isEnd = graph.Node("Equal", [EncoderNames.InputIds, writer.Whole(EndOf(config))]);
        var last = graph.Node(
            "ArgMax", [graph.Node("Cast", [isEnd], attributes: ("to", (long)OnnxType.Int32))], "", ("axis", 1), ("keepdims", 1), ("select_last_index", 1)); // [B, 1]
        var state = graph.Node("GatherND", [x, last], attributes: ("batch_dims", 1));                                     // [B, H]
        encoder.WriteScores(encoder.Pool(state, "classification_head.dense"), "classification_head.out_proj", ofTokens: false);
    }

    /// <summary>Embeddings, positions and, for learned ones, a norm.</summary>
    private static string Begin(EncoderWriter encoder, string ids, string body, PositionKind positions)
    {
        var (config, writer) = (encoder.Config, encoder.Writer);
        var x = writer.Scale(encoder.Embed($"{body}.embed_tokens", ids), config.Seq2Seq!.EmbeddingScale);
        return positions switch
        {
            PositionKind.Learned =>
                encoder.Norm(writer.Add(x, encoder.EmbedPositions($"{body}.embed_positions", config.ContextLength + FirstRow, FirstRow)), $"{body}.layernorm_embedding"),
            PositionKind.Sinusoids => writer.Add(x, writer.Lookup(Sinusoids.Table(writer, config), encoder.Offsets())),
            PositionKind.Fairseq => writer.Add(x, writer.Lookup(Sinusoids.FairseqTable(writer, config), encoder.CountedPositions(config.PadToken ?? 1))),
        };
    }

    /// <summary>x + block(norm(x)), or norm(x + block(x)).</summary>
    private static string Half(EncoderWriter encoder, bool preNorm, string x, string norm, Func<string, string> block) =>
        preNorm ? encoder.Writer.Add(x, block(encoder.Norm(x, norm))) : encoder.AddNorm(x, block(x), norm);

    private static int EndOf(ModelConfig config) => config.EndTokens is [var end, ..] ? end : 2;

    private static AttentionLayers Layers(string at) => new($"{at}.q_proj", $"{at}.k_proj", $"{at}.v_proj", $"{at}.out_proj");
}
