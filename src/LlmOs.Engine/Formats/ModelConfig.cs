namespace LlmOs.Engine.Formats;

/// <summary>The configuration of a decoder in the Llama layout, in one spelling whatever the file's was.</summary>
public sealed record ModelConfig
{
    /// <summary>Tokens; longer contexts are refused rather than tabulated.</summary>
    public const int MaxContextLength = 4 << 20;

    private const int MaxWidth = 1 << 18;

    /// <summary><c>model_type</c>: <c>llama</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>The published class: <c>LlamaForCausalLM</c>.</summary>
    public required string Architecture { get; init; }

    public required int Hidden { get; init; }

    /// <summary>Width of the gated MLP.</summary>
    public required int Intermediate { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    /// <summary>Key/value heads; divides <see cref="Heads"/>.</summary>
    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>Rows of the embedding; may exceed the tokenizer's vocabulary.</summary>
    public required int Vocabulary { get; init; }

    public required int ContextLength { get; init; }

    public double NormEpsilon { get; init; } = 1e-6;

    public RopeConfig Rope { get; init; } = new();

    /// <summary>Whether the head is the embedding matrix; such a head is not stored.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Biases on the query, key, value and output projections.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases on the gate, up and down projections.</summary>
    public bool MlpBias { get; init; }

    public int? BeginToken { get; init; }

    public IReadOnlyList<int> EndTokens { get; init; } = [];

    public int? PadToken { get; init; }

    /// <summary>Reads <c>config.json</c> in the spelling of transformers 4 or 5.</summary>
    /// <exception cref="ModelFormatException">A number is missing or impossible, or an option changes numbers and is not implemented.</exception>
    public static ModelConfig Read(ConfigJson json)
    {
        UnsupportedOptions.Refuse(json);
        var hidden = Width(json, "hidden_size");
        var heads = Width(json, "num_attention_heads");
        var kvHeads = json.Whole("num_key_value_heads", 1, MaxWidth) ?? heads;
        var config = new ModelConfig
        {
            ModelType = json.Text("model_type") ?? throw json.Missing("model_type"),
            Architecture = json.Texts("architectures") is [var architecture, ..] ? architecture : throw json.Missing("architectures"),
            Hidden = hidden,
            Intermediate = Width(json, "intermediate_size"),
            Layers = json.Whole("num_hidden_layers", 1, 4096) ?? throw json.Missing("num_hidden_layers"),
            Heads = heads,
            KvHeads = kvHeads,
            HeadDim = json.Whole("head_dim", 1, 4096) ?? DefaultHeadDim(json, hidden, heads),
            Vocabulary = json.Whole("vocab_size", 1, 1 << 24) ?? throw json.Missing("vocab_size"),
            ContextLength = json.Whole("max_position_embeddings", 1, MaxContextLength) ?? 2048,
            NormEpsilon = json.Number("rms_norm_eps") ?? 1e-6,
            Rope = RopeConfig.Read(json),
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? false,
            AttentionBias = json.Flag("attention_bias") ?? false,
            MlpBias = json.Flag("mlp_bias") ?? false,
            BeginToken = json.Ids("bos_token_id") is [var begin, ..] ? begin : null,
            EndTokens = json.Ids("eos_token_id"),
            // Old files write -1 for "none".
            PadToken = json.Whole("pad_token_id", -1, int.MaxValue) is { } pad and >= 0 ? pad : null,
        };
        config.Check(json.File);
        return config;
    }

    /// <summary>Checks that the numbers fit each other.</summary>
    /// <exception cref="ModelFormatException">They do not; the message names them.</exception>
    public void Check(string file)
    {
        if (Heads % KvHeads != 0)
        {
            throw Corrupt(file, $"num_attention_heads ({Heads}) is not a multiple of num_key_value_heads ({KvHeads})");
        }

        if (HeadDim % 2 != 0)
        {
            throw Corrupt(file, $"head_dim ({HeadDim}) is odd; rotary positions turn pairs");
        }

        if (NormEpsilon is < 0 or > 1)
        {
            throw Corrupt(file, $"rms_norm_eps ({NormEpsilon}) is not between 0 and 1");
        }
    }

    private static int Width(ConfigJson json, string key) => json.Whole(key, 1, MaxWidth) ?? throw json.Missing(key);

    private static int DefaultHeadDim(ConfigJson json, int hidden, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw Corrupt(json.File, $"hidden_size ({hidden}) is not a multiple of num_attention_heads ({heads}), and head_dim is not given");

    private static ModelFormatException Corrupt(string file, string what) => new(ModelFormatProblem.CorruptFile, $"{file}: {what}.");
}
