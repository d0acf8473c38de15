namespace LlmOs.Formats;

/// <summary>The configuration of a model, in one spelling whatever the file's was. What an architecture does not have keeps its default.</summary>
public sealed record ModelConfig
{
    /// <summary>Tokens; longer contexts are refused rather than tabulated.</summary>
    public const int MaxContextLength = 4 << 20;

    private const int MaxWidth = 1 << 18;

    /// <summary><c>model_type</c>, such as <c>llama</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>The published class, such as <c>LlamaForCausalLM</c>.</summary>
    public required string Architecture { get; init; }

    public required int Hidden { get; init; }

    /// <summary>Width of the embeddings where a layer brings them to <see cref="Hidden"/>; 0: they have that width.</summary>
    public int EmbeddingWidth { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
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

    public Activation Activation { get; init; }

    public RopeConfig Rope { get; init; } = new();

    /// <summary>Rotary positions of windowed layers where they differ from <see cref="Rope"/>.</summary>
    public RopeConfig? LocalRope { get; init; }

    /// <summary>Layers without rotary positions.</summary>
    public IReadOnlyList<int> LayersWithoutRope { get; init; } = [];

    /// <summary>Tokens that each layer's attention sees, itself included; 0 sees all. Empty: every layer sees all.</summary>
    public IReadOnlyList<int> Windows { get; init; } = [];

    /// <summary>What scores are multiplied by; null: one over the root of the head's width.</summary>
    public double? AttentionScale { get; init; }

    /// <summary>Scores s become cap * tanh(s / cap) before the mask; 0 leaves them.</summary>
    public double AttentionSoftCap { get; init; }

    /// <summary>The same for the logits.</summary>
    public double LogitSoftCap { get; init; }

    /// <summary>What embeddings are multiplied by.</summary>
    public double EmbeddingFactor { get; init; } = 1;

    /// <summary>What attention and feed-forward are multiplied by before they are added to the state.</summary>
    public double BlockFactor { get; init; } = 1;

    /// <summary>What logits are multiplied by.</summary>
    public double LogitFactor { get; init; } = 1;

    /// <summary>Attention and feed-forward read the same state, and both are added to it.</summary>
    public bool ParallelResidual { get; init; }

    /// <summary>They read it through norms of their own.</summary>
    public bool SeparateNorms { get; init; }

    /// <summary>Norms on query and key heads, where a family may have none.</summary>
    public bool NormsHeads { get; init; }

    /// <summary>Norms before each half instead of behind it, where a family has both.</summary>
    public bool PreNorm { get; init; }

    /// <summary>A norm behind the last layer, where a family may have none.</summary>
    public bool LastNorm { get; init; }

    /// <summary>How layers share weights, or null.</summary>
    public SharingConfig? Sharing { get; init; }

    /// <summary>Scores of layer i are divided by i + 1 as well (GPT-2's option).</summary>
    public bool ScaleByLayer { get; init; }

    /// <summary>Segments that tokens may belong to; 0: there are none.</summary>
    public int TypeVocabulary { get; init; }

    /// <summary>Width of the vector that a text's state is projected to, where a family does so.</summary>
    public int ProjectionWidth { get; init; }

    /// <summary>What a classifier's scores stand for, by index.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>
    /// What the states of the embeddings and of each layer weigh in those that a sentence's vector is made of; null: it is made
    /// of the last ones.
    /// </summary>
    public IReadOnlyList<float>? LayerWeights { get; init; }

    /// <summary>What ModernBERT has besides, or null.</summary>
    public ModernBertConfig? ModernBert { get; init; }

    /// <summary>What DeBERTa has besides, or null.</summary>
    public DisentangledConfig? Disentangled { get; init; }

    /// <summary>What an encoder-decoder has besides its encoder, or null.</summary>
    public Seq2SeqConfig? Seq2Seq { get; init; }

    /// <summary>The mixture of experts in place of the feed-forward layer, or null.</summary>
    public ExpertsConfig? Experts { get; init; }

    /// <summary>Whether the head is the embedding matrix, as the file says; files that hold a head of other values decide otherwise.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>For the names of weights that are one and the same, the name under which that one is read; null while no files are known.</summary>
    public IReadOnlyDictionary<string, string>? Ties { get; init; }

    /// <summary>Biases on the query, key, value and output projections.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases on the gate, up and down projections.</summary>
    public bool MlpBias { get; init; }

    public int? BeginToken { get; init; }

    public IReadOnlyList<int> EndTokens { get; init; } = [];

    public int? PadToken { get; init; }

    /// <summary>Reads a <c>config.json</c> of the Llama layout in the spelling of transformers 4 or 5.</summary>
    /// <exception cref="ModelFormatException">A number is missing or impossible, or an option changes numbers and is not implemented.</exception>
    public static ModelConfig Read(ConfigJson json) => Read(json, new ConfigSpelling()) with
    {
        AttentionBias = json.Flag("attention_bias") ?? false,
        MlpBias = json.Flag("mlp_bias") ?? false,
    };

    /// <summary>Reads what the decoders have in common.</summary>
    /// <exception cref="ModelFormatException">A number is missing or impossible, or an option changes numbers and is not implemented.</exception>
    public static ModelConfig Read(ConfigJson json, ConfigSpelling spelling)
    {
        UnsupportedOptions.Refuse(json, spelling.Implemented);
        var hidden = Width(json, spelling.Hidden);
        var heads = Width(json, spelling.Heads);
        var config = new ModelConfig
        {
            ModelType = json.Text("model_type") ?? throw json.Missing("model_type"),
            Architecture = json.Texts("architectures") is [var architecture, ..] ? architecture : throw json.Missing("architectures"),
            Hidden = hidden,
            Intermediate = json.Whole(spelling.Intermediate, 1, MaxWidth)
                ?? (spelling.DefaultExpansion > 0 ? spelling.DefaultExpansion * hidden : throw json.Missing(spelling.Intermediate)),
            Layers = json.Whole(spelling.Layers, 1, 4096) ?? throw json.Missing(spelling.Layers),
            Heads = heads,
            KvHeads = json.Whole(spelling.KvHeads, 1, MaxWidth) ?? heads,
            HeadDim = json.Whole(spelling.HeadDim, 1, 4096) ?? spelling.DefaultHeadDim ?? DefaultHeadDim(json, spelling, hidden, heads),
            Vocabulary = json.Whole("vocab_size", 1, 1 << 24) ?? throw json.Missing("vocab_size"),
            ContextLength = json.Whole(spelling.Context, 1, MaxContextLength) ?? spelling.DefaultContext,
            NormEpsilon = json.Number(spelling.Epsilon) ?? spelling.DefaultEpsilon,
            Activation = Activations.Read(json, spelling.Activation, spelling.DefaultActivation),
            Rope = spelling.Rotary ? RopeConfig.Read(json, spelling.DefaultRotaryShare, spelling.Implemented.Contains("partial_rotary_factor")) : new RopeConfig(),
            TiedEmbeddings = json.Flag("tie_word_embeddings") ?? spelling.DefaultTied,
            BeginToken = json.Ids("bos_token_id") is [var begin, ..] ? begin : null,
            EndTokens = json.Ids("eos_token_id"),
            // Old files write -1 for "none".
            PadToken = json.Whole("pad_token_id", -1, int.MaxValue) is { } pad and >= 0 ? pad : null,
        };
        config.Check(json.File, spelling);
        return config with { ContextLength = Math.Min(config.ContextLength, config.Rope.LongestContext ?? int.MaxValue) };
    }

    /// <summary>Checks that the numbers fit each other.</summary>
    /// <exception cref="ModelFormatException">They do not; the message names them.</exception>
    private void Check(string file, ConfigSpelling spelling)
    {
        if (Heads % KvHeads != 0)
        {
            throw Corrupt(file, $"{spelling.Heads} ({Heads}) is not a multiple of {spelling.KvHeads} ({KvHeads})");
        }

        if (spelling.Rotary && HeadDim % 2 != 0)
        {
            throw Corrupt(file, $"{spelling.HeadDim} ({HeadDim}) is odd; rotary positions turn pairs");
        }

        if (NormEpsilon is < 0 or > 1)
        {
            throw Corrupt(file, $"{spelling.Epsilon} ({NormEpsilon}) is not between 0 and 1");
        }
    }

    private static int Width(ConfigJson json, string key) => json.Whole(key, 1, MaxWidth) ?? throw json.Missing(key);

    private static int DefaultHeadDim(ConfigJson json, ConfigSpelling spelling, int hidden, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw Corrupt(json.File, $"{spelling.Hidden} ({hidden}) is not a multiple of {spelling.Heads} ({heads}), and {spelling.HeadDim} is not given");

    private static ModelFormatException Corrupt(string file, string what) => new(ModelFormatProblem.CorruptFile, $"{file}: {what}.");
}

/// <summary>The decoder of an encoder-decoder, and what the two share.</summary>
public sealed record Seq2SeqConfig
{
    public required int DecoderLayers { get; init; }

    public required int DecoderHeads { get; init; }

    public required int DecoderHeadDim { get; init; }

    public required int DecoderIntermediate { get; init; }

    /// <summary>The decoder's first token.</summary>
    public required int StartToken { get; init; }

    /// <summary>Maximum tokens of a source.</summary>
    public required int MaxSource { get; init; }

    /// <summary>What embeddings are multiplied by.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>What the last states are multiplied by before the head.</summary>
    public double HeadScale { get; init; } = 1;

    /// <summary>Whether feed-forward layers are gated.</summary>
    public bool Gated { get; init; }

    /// <summary>T5: buckets of distances.</summary>
    public int RelativeBuckets { get; init; }

    /// <summary>T5: the distance from which on there is one bucket.</summary>
    public int RelativeDistance { get; init; }
}

/// <summary>Layers that share weights (ALBERT).</summary>
/// <param name="Groups">The layers are shared out to so many groups; those of a group are one.</param>
/// <param name="LayersPerGroup">Layers with weights of their own within a group, run one after the other for each of its layers.</param>
public sealed record SharingConfig(int Groups, int LayersPerGroup);

/// <summary>A mixture of experts: each token goes through the few whose router scores are highest.</summary>
/// <param name="Count">Experts of a layer.</param>
/// <param name="PerToken">Experts that a token goes through.</param>
/// <param name="Intermediate">Width of one expert.</param>
/// <param name="Normalise">Whether the chosen experts' probabilities are scaled to sum to one.</param>
public sealed record ExpertsConfig(int Count, int PerToken, int Intermediate, bool Normalise)
{
    /// <summary>Layers that have one feed-forward layer instead.</summary>
    public IReadOnlyList<int> DenseLayers { get; init; } = [];
}
