using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Seq2Seq;

/// <summary>
/// BART (arXiv 1910.13461, section 2), mBART (arXiv 2001.08210) and Marian (arXiv 1804.00344): layer norms, biases everywhere,
/// positions learned (from row 2 on) or sinusoidal. Their numbers are those of transformers' Bart, MBart and Marian classes.
/// </summary>
internal static class Bart
{
    /// <summary>The two first rows of a learned table belong to nothing.</summary>
    private const int FirstRow = 2;

    /// <summary>Both sides have the same embedding, under any of these names.</summary>
    private static readonly string[] Embeddings = ["model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"];

    private static readonly string[] Buffers = ["embed_positions.weight_sinusoidal"];

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        new Seq2SeqArchitecture("bart", "BartForConditionalGeneration", json => Read(json, false, "gelu"), e => Encode(e, false, true), d => Decode(d, false, true)) { LeftOver = Buffers, Ties = Tied },
        new Seq2SeqArchitecture("mbart", "MBartForConditionalGeneration", json => Read(json, true, "gelu"), e => Encode(e, true, true), d => Decode(d, true, true)) { LeftOver = Buffers, Ties = Tied },
        new Seq2SeqArchitecture("marian", "MarianMTModel", json => Read(json, false, "gelu"), e => Encode(e, false, false), d => Decode(d, false, false))
        {
            LeftOver = [.. Buffers, "model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"],
            Ties = Tied,
        },
        new EncoderArchitecture("bart", "BartForSequenceClassification", EncoderHead.TextLabels, HasTypes: false, HasPooler: false, json => Read(json, false, "gelu"), Classify) { LeftOver = Buffers, Ties = Tied },
    ];

    private static IReadOnlyList<IReadOnlyList<string>> Tied(ModelConfig config) => config.TiedEmbeddings ? [[.. Embeddings, "lm_head.weight"]] : [Embeddings];

    private static ModelConfig Read(ConfigJson json, bool preNorm, string activation)
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
            DefaultActivation = activation,
            DefaultTied = true,
            Rotary = false,
            Implemented = preNorm ? ["is_encoder_decoder", "normalize_before", "add_final_layer_norm"] : ["is_encoder_decoder"],
        });
        var heads = json.Whole("decoder_attention_heads", 1, 1 << 18) ?? config.Heads;
        if (config.Hidden % heads != 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: d_model ({config.Hidden}) is not a multiple of decoder_attention_heads ({heads}).");
        }

        return config with
        {
            Labels = Encoders.EncoderConfigs.Labels(json),
            MultiLabel = json.Text("problem_type") == "multi_label_classification",
            Seq2Seq = new Seq2SeqConfig
            {
                DecoderLayers = json.Whole("decoder_layers", 1, 4096) ?? config.Layers,
                DecoderHeads = heads,
                DecoderHeadDim = config.Hidden / heads,
                DecoderIntermediate = json.Whole("decoder_ffn_dim", 1, 1 << 18) ?? config.Intermediate,
                StartToken = json.Whole("decoder_start_token_id", 0, int.MaxValue) ?? EndOf(config),
                MaxSource = config.ContextLength,
                EmbeddingScale = json.Flag("scale_embedding") == true ? Math.Sqrt(config.Hidden) : 1,
            },
        };
    }

    private static void Encode(EncoderWriter encoder, bool preNorm, bool learned)
    {
        var x = EncoderLayers(encoder, preNorm, learned);
        encoder.WriteStates(x, pooler: null);
        for (var layer = 0; layer < encoder.Config.Seq2Seq!.DecoderLayers; layer++)
        {
            var at = $"model.decoder.layers.{layer}.encoder_attn";
            encoder.WriteCross(layer, x, $"{at}.k_proj", $"{at}.v_proj", bias: true);
        }
    }

    private static string EncoderLayers(EncoderWriter encoder, bool preNorm, bool learned)
    {
        var config = encoder.Config;
        const string Body = "model.encoder";
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim };
        var x = Begin(encoder, EncoderNames.InputIds, Body, learned);
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

    private static void Decode(DecoderWriter decoder, bool preNorm, bool learned)
    {
        var (config, settings) = (decoder.Config, decoder.Config.Seq2Seq!);
        const string Body = "model.decoder";
        decoder.Embed($"{Body}.embed_tokens", settings.EmbeddingScale);
        if (learned)
        {
            decoder.AddPositions($"{Body}.embed_positions", FirstRow);
            decoder.Replace(decoder.LayerNorm($"{Body}.layernorm_embedding"));
        }
        else
        {
            decoder.AddSinusoids();
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}.layers.{layer}";
            var own = $"{at}.self_attn";
            var weights = AttentionWeights.Separate($"{own}.q_proj", $"{own}.k_proj", $"{own}.v_proj", $"{own}.out_proj", config.Heads, config.KvHeads, config.HeadDim);
            var options = new AttentionOptions { Bias = true, OutputBias = true, Rotary = false };
            var number = layer;
            decoder.OutputState();
            decoder.Half(preNorm, $"{at}.self_attn_layer_norm", x => decoder.Attention(number, x, weights, options));
            decoder.Half(preNorm, $"{at}.encoder_attn_layer_norm", x => decoder.CrossAttention(number, x, $"{at}.encoder_attn.q_proj", $"{at}.encoder_attn.out_proj", bias: true));
            decoder.Half(preNorm, $"{at}.final_layer_norm", x => decoder.Mlp(x, $"{at}.fc1", $"{at}.fc2"));
        }

        decoder.Head(preNorm ? decoder.LayerNorm($"{Body}.layer_norm") : decoder.State(), "lm_head", logitBias: "final_logits_bias");
    }

    /// <summary>The classifier reads the decoder's state at the text's last end token; the decoder reads the text itself, one place later.</summary>
    private static void Classify(EncoderWriter encoder)
    {
        var (config, settings, writer, graph) = (encoder.Config, encoder.Config.Seq2Seq!, encoder.Writer, encoder.Writer.Graph);
        const string Body = "model.decoder";
        var memory = EncoderLayers(encoder, preNorm: false, learned: true);
        encoder.WriteStates(memory, pooler: null);

        var first = graph.Node("Slice", [EncoderNames.InputIds, writer.Wholes(0), writer.Wholes(1), writer.Wholes(1)]);   // [B, 1]
        var start = writer.Add(writer.Multiply(first, writer.Whole(0)), writer.Whole(settings.StartToken));
        var rest = graph.Node("Slice", [EncoderNames.InputIds, writer.Wholes(0), writer.Wholes(-1), writer.Wholes(1)]);   // [B, S - 1]
        var shifted = graph.Node("Concat", [start, rest], attributes: ("axis", 1));                                       // [B, S]

        var own = new EncoderAttention { Heads = settings.DecoderHeads, HeadDim = settings.DecoderHeadDim, Causal = true, Masked = false };
        var cross = new EncoderAttention { Heads = settings.DecoderHeads, HeadDim = settings.DecoderHeadDim };
        var x = Begin(encoder, shifted, Body, learned: true);
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
    private static string Begin(EncoderWriter encoder, string ids, string body, bool learned)
    {
        var (config, writer) = (encoder.Config, encoder.Writer);
        var x = writer.Scale(encoder.Embed($"{body}.embed_tokens", ids), config.Seq2Seq!.EmbeddingScale);
        return learned
            ? encoder.Norm(writer.Add(x, encoder.EmbedPositions($"{body}.embed_positions", config.ContextLength + FirstRow, FirstRow)), $"{body}.layernorm_embedding")
            : writer.Add(x, writer.Lookup(Sinusoids.Table(writer, config), encoder.Offsets()));
    }

    /// <summary>x + block(norm(x)), or norm(x + block(x)).</summary>
    private static string Half(EncoderWriter encoder, bool preNorm, string x, string norm, Func<string, string> block) =>
        preNorm ? encoder.Writer.Add(x, block(encoder.Norm(x, norm))) : encoder.AddNorm(x, block(x), norm);

    private static int EndOf(ModelConfig config) => config.EndTokens is [var end, ..] ? end : 2;

    private static AttentionLayers Layers(string at) => new($"{at}.q_proj", $"{at}.k_proj", $"{at}.v_proj", $"{at}.out_proj");
}
