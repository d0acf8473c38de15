using LlmOs.Engine.Execution;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>The published layers of an attention that reads one sequence and looks at another, or at itself.</summary>
internal sealed record AttentionLayers(string Query, string Key, string Value, string Output);

/// <summary>What an encoder's attention has besides its layers.</summary>
internal sealed record EncoderAttention
{
    public bool Bias { get; init; } = true;

    /// <summary>Components of a head.</summary>
    public required int HeadDim { get; init; }

    public required int Heads { get; init; }

    /// <summary>What scores are multiplied by; null: one over the root of the head's width.</summary>
    public double? Scale { get; init; }

    /// <summary>Each token sees only itself and those before it.</summary>
    public bool Causal { get; init; }

    /// <summary>Hides what lies beyond each text's end.</summary>
    public bool Masked { get; init; } = true;

    /// <summary>Added to the scores: [B or 1, heads or 1, S, S] tensor, or null.</summary>
    public string? ScoreBias { get; init; }
}

/// <summary>The blocks of an encoder: whole texts at once, padded on the right to one length.</summary>
/// <remarks>Letters in shapes: B texts, S tokens of the longest, H hidden, E width of the embeddings, Q = heads * head width, I intermediate, N rows of logits asked for.</remarks>
internal sealed class EncoderWriter
{
    private readonly bool _withStates;
    private readonly List<string> _states = [];

    /// <param name="withStates">Whether the states become outputs <see cref="EncoderNames.HiddenState"/>.</param>
    /// <param name="types">Whether tokens have segment numbers.</param>
    public EncoderWriter(GraphWriter writer, ModelConfig config, bool withStates, bool types)
    {
        (Writer, Config, _withStates) = (writer, config, withStates);
        Graph.Input(EncoderNames.InputIds, OnnxType.Int64, "B", "S");
        Graph.Input(EncoderNames.Lengths, OnnxType.Int32, "B");
        if (types)
        {
            Graph.Input(EncoderNames.TokenTypes, OnnxType.Int64, "B", "S");
        }
    }

    public GraphWriter Writer { get; }

    public ModelConfig Config { get; }

    /// <summary>E.</summary>
    public int EmbeddingWidth => Config.EmbeddingWidth > 0 ? Config.EmbeddingWidth : Config.Hidden;

    private OnnxGraph Graph => Writer.Graph;

    /// <summary>Embeddings of the tokens: [B, S, E].</summary>
    public string Embed(string name, string ids = EncoderNames.InputIds) =>
        Writer.Lookup(Writer.Weight(name + ".weight", Config.Vocabulary, EmbeddingWidth), ids);

    /// <summary>Learned vectors of the segments: [B, S, E].</summary>
    public string EmbedTypes(string name) =>
        Writer.Lookup(Writer.Weight(name + ".weight", Config.TypeVocabulary, EmbeddingWidth), EncoderNames.TokenTypes);

    /// <summary>Learned vectors of the positions, the first of which is row <paramref name="offset"/>: [S, E].</summary>
    public string EmbedPositions(string name, long rows, long offset = 0)
    {
        var table = Writer.Weight(name + ".weight", rows, EmbeddingWidth);
        return Writer.Lookup(table, offset == 0 ? Offsets() : Writer.Add(Offsets(), Writer.Whole(offset)));
    }

    /// <summary>Learned vectors of the positions as RoBERTa counts them: from <paramref name="padding"/> + 1 on, over tokens that are not padding.</summary>
    public string EmbedCountedPositions(string name, long rows, int padding)
    {
        return Writer.Lookup(Writer.Weight(name + ".weight", rows, EmbeddingWidth), Writer.Add(CountedPositions(padding), Writer.Whole(padding)));
    }

    /// <summary>Positions from one on, counted over tokens that are not padding, whose own is nought: [B, S].</summary>
    public string CountedPositions(int padding)
    {
        var isPadding = Graph.Node("Equal", [EncoderNames.InputIds, Writer.Whole(padding)]);
        var counts = Graph.Node("Cast", [Graph.Node("Not", [isPadding])], attributes: ("to", (long)OnnxType.Int64));
        return Writer.Multiply(Graph.Node("CumSum", [counts, Writer.Whole(1)]), counts);
    }

    /// <summary>0 to S - 1.</summary>
    public string Offsets() => Graph.Node("Range", [Writer.Whole(0), Graph.Node("Squeeze", [Tokens()]), Writer.Whole(1)]);

    /// <summary>[1]: S.</summary>
    public string Tokens() => Graph.Node("Shape", [EncoderNames.InputIds], attributes: [("start", 1), ("end", 2)]);

    /// <summary>Attention of a sequence to itself.</summary>
    /// <param name="x">[B, S, H]</param>
    /// <returns>[B, S, H]</returns>
    public string SelfAttention(string x, AttentionLayers layers, EncoderAttention options)
    {
        long width = (long)options.Heads * options.HeadDim;
        (string, long)[] Parts(string end) => [(layers.Query + end, width), (layers.Key + end, width), (layers.Value + end, width)];
        var matrix = Writer.Stacked(layers.Query + ".qkv.weight", Config.Hidden, Parts(".weight"));
        var qkv = Writer.Linear(x, matrix, options.Bias ? Writer.StackedVector(layers.Query + ".qkv.bias", Parts(".bias")) : null); // [B, S, 3Q]
        var split = Writer.Split(qkv, layers.Query + ".qkv", width, width, width);
        return Attend(split[0], split[1], split[2], layers.Output, options);
    }

    /// <summary>Attention of one sequence to another.</summary>
    /// <param name="x">[B, T, H]</param>
    /// <param name="memory">[B, S, H]</param>
    /// <returns>[B, T, H]</returns>
    public string CrossAttention(string x, string memory, AttentionLayers layers, EncoderAttention options)
    {
        long width = (long)options.Heads * options.HeadDim;
        return Attend(
            Writer.Linear(x, layers.Query, width, Config.Hidden, options.Bias),
            Writer.Linear(memory, layers.Key, width, Config.Hidden, options.Bias),
            Writer.Linear(memory, layers.Value, width, Config.Hidden, options.Bias),
            layers.Output,
            options);
    }

    /// <summary>Keys and values that a decoder's layer looks at, by head: [B, heads, S, head width] each.</summary>
    public void WriteCross(int layer, string x, string key, string value, bool bias)
    {
        var settings = Config.Seq2Seq!;
        var (heads, width) = (settings.DecoderHeads, settings.DecoderHeadDim);
        foreach (var (published, output) in new[] { (key, DecoderGraph.CrossKey(layer)), (value, DecoderGraph.CrossValue(layer)) })
        {
            var all = Writer.Linear(x, published, (long)heads * width, Config.Hidden, bias);              // [B, S, heads * width]
            var split = Graph.Node("Reshape", [all, Writer.Wholes(0, 0, heads, width)]);
            Output(Graph.Node("Transpose", [split], attributes: ("perm", new long[] { 0, 2, 1, 3 })), output, "B", heads, "S", width);
        }
    }

    /// <summary>down(act(up(x))).</summary>
    public string Mlp(string x, string up, string down, int width, bool bias = true) => Writer.Linear(
        Writer.Activate(Config.Activation, Writer.Linear(x, up, width, Config.Hidden, bias)), down, Config.Hidden, width, bias);

    /// <summary>Layer norm of x + added.</summary>
    public string AddNorm(string x, string added, string name)
    {
        var normed = Writer.Fresh(name + ".normed");
        Graph.Node(
            "SkipLayerNormalization",
            [x, added, Writer.Weight(name + ".weight", Config.Hidden), Writer.Weight(name + ".bias", Config.Hidden)],
            [normed],
            OnnxGraph.Microsoft,
            ("epsilon", (float)Config.NormEpsilon));
        return normed;
    }

    public string Norm(string x, string name, bool bias = true) => Writer.LayerNorm(x, name, Config.Hidden, Config.NormEpsilon, bias);

    /// <summary>Turns queries or keys [B, S, Q] by their rotary positions.</summary>
    /// <param name="local">Whether by <see cref="ModelConfig.LocalRope"/>.</param>
    public string Turn(string x, bool local)
    {
        var (name, rope) = local ? ("rotary.local", Config.LocalRope!) : ("rotary", Config.Rope);
        string Table(string end, Func<double, double> function) => Writer.Made(name + end, [Config.ContextLength, Config.HeadDim / 2], sink =>
        {
            var frequencies = RotaryTable.Frequencies(rope, Config.HeadDim);
            var row = new float[Config.HeadDim / 2];
            for (var position = 0; position < Config.ContextLength; position++)
            {
                RotaryTable.Fill(frequencies, position, function, rope.AttentionFactor, row);
                sink.Write(row);
            }
        });
        return Graph.Node("RotaryEmbedding", [x, Writer.Wholes(0), Table(".cos", Math.Cos), Table(".sin", Math.Sin)], OnnxGraph.Microsoft, ("interleaved", 0));
    }

    /// <summary>Added to scores it hides what is further than half a window away, on either side: [1, 1, S, S].</summary>
    public string WindowBias(int window)
    {
        // Nought within the window, ever lower beyond it; in f32 all the way, since this is the widest tensor but the scores.
        var positions = Graph.Node("Cast", [Offsets()], attributes: ("to", (long)OnnxType.Float));       // [S]
        var distances = Graph.Node("Abs", [Graph.Node("Sub", [positions, Graph.Node("Unsqueeze", [positions, Writer.Wholes(1)])])]); // [S, S]
        var beyond = Graph.Node("Min", [Graph.Node("Sub", [Writer.Real(window / 2), distances]), Writer.Real(0)]);
        return Graph.Node("Unsqueeze", [Writer.Scale(beyond, 1e30), Writer.Wholes(0, 1)]);
    }

    /// <summary>One for each token of a text, nought beyond its end: [B, S, 1].</summary>
    public string Mask()
    {
        var lengths = Graph.Node("Unsqueeze", [Graph.Node("Cast", [EncoderNames.Lengths], attributes: ("to", (long)OnnxType.Int64)), Writer.Wholes(1)]); // [B, 1]
        var isToken = Graph.Node("Cast", [Graph.Node("Less", [Offsets(), lengths])], attributes: ("to", (long)OnnxType.Float)); // [B, S]
        return Graph.Node("Unsqueeze", [isToken, Writer.Wholes(2)]);
    }

    /// <summary>The mean of each text's states: [B, H].</summary>
    public string Mean(string x)
    {
        // Summed token by token: a sum over the whole axis is rounded otherwise where other texts make it longer.
        var sums = Graph.Node("CumSum", [x, Writer.Whole(1)]);                                           // [B, S, H]
        var lengths = Graph.Node("Unsqueeze", [EncoderNames.Lengths, Writer.Wholes(1)]);                 // [B, 1]
        var last = Graph.Node("Sub", [Graph.Node("Cast", [lengths], attributes: ("to", (long)OnnxType.Int64)), Writer.Whole(1)]);
        return Graph.Node("Div", [Graph.Node("GatherND", [sums, last], attributes: ("batch_dims", 1)), Graph.Node("Cast", [lengths], attributes: ("to", (long)OnnxType.Float))]);
    }

    /// <summary>The state of each text's first token: [B, H].</summary>
    public string First(string x) => Graph.Node("Gather", [x, Writer.Whole(0)], attributes: ("axis", 1));

    /// <summary>The rows [N, H] of [B, S, H] that are asked for by <see cref="EncoderNames.LogitRows"/>.</summary>
    public string WantedRows(string x)
    {
        Graph.Input(EncoderNames.LogitRows, OnnxType.Int64, "N");
        return Graph.Node("Gather", [Graph.Node("Reshape", [x, Writer.Wholes(-1, Config.Hidden)]), EncoderNames.LogitRows], attributes: ("axis", 0));
    }

    /// <summary>Notes a state: that of the embeddings, then that of each layer.</summary>
    public string State(string x)
    {
        if (_withStates)
        {
            Output(x, EncoderNames.HiddenState(_states.Count), "B", "S", Config.Hidden);
        }

        _states.Add(x);
        return x;
    }

    /// <summary>The mean of the states noted so far, each with its weight: [B, S, H].</summary>
    /// <exception cref="ModelFormatException">There are not as many weights as states.</exception>
    public string MixStates(IReadOnlyList<float> weights)
    {
        if (weights.Count != _states.Count)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"There are weights for {weights.Count} states; the model has {_states.Count}, those of its embeddings among them.");
        }

        var total = weights.Sum(w => (double)w);
        return _states.Zip(weights).Where(pair => pair.Second != 0).Select(pair => Writer.Scale(pair.First, pair.Second / total)).Aggregate(Writer.Add);
    }

    public void Output(string x, string name, params OnnxDim[] shape)
    {
        Graph.Node("Identity", [x], [name]);
        Graph.Output(name, OnnxType.Float, shape);
    }

    /// <summary>Attention from what its layers gave.</summary>
    /// <param name="query">[B, T, Q]</param>
    /// <param name="key">[B, S, Q]</param>
    /// <param name="value">[B, S, Q]</param>
    /// <param name="output">The layer behind it.</param>
    /// <returns>[B, T, H]</returns>
    public string Attend(string query, string key, string value, string output, EncoderAttention options)
    {
        long width = (long)options.Heads * options.HeadDim;
        var mixed = Graph.Node(
            "MultiHeadAttention",
            [query, key, value, "", options.Masked ? EncoderNames.Lengths : "", options.ScoreBias ?? ""],
            OnnxGraph.Microsoft,
            ("num_heads", options.Heads),
            ("scale", (float)(options.Scale ?? 1 / Math.Sqrt(options.HeadDim))),
            ("unidirectional", options.Causal ? 1 : 0));                                                 // [B, T, Q]
        return Writer.Linear(mixed, output, Config.Hidden, width, options.Bias);
    }
}
