using LlmOs.Engine.Execution;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// The blocks of a causal decoder over the slot cache. An architecture calls them in its order: embedding, for each layer
/// norm, attention, norm and feed-forward, a last norm, and the head.
/// </summary>
/// <remarks>
/// Letters in shapes: B rows, S tokens of a row in this run, H hidden, D head width as stored in the cache, Q = heads * D,
/// K = kv heads * D, I intermediate, V vocabulary, N rows of logits asked for, M capacity of a cache slot, C context.
/// The state is kept as a sum not yet formed (the last block's output beside what it is added to), so that the next norm
/// forms it in one kernel.
/// </remarks>
internal sealed class DecoderWriter
{
    private readonly bool _withStates;
    private readonly HeadTensors _heads;
    private readonly SourceAttention _source;
    private string _state = ""; // [B, S, H]
    private string? _pending;   // the last block's output, not yet added to the state
    private int _states;
    private bool _wantsState;

    /// <param name="withStates">Whether the state before each layer, and the last one, become outputs <see cref="DecoderGraph.HiddenState"/>.</param>
    public DecoderWriter(GraphWriter writer, ModelConfig config, bool withStates)
    {
        (Writer, Config, _withStates) = (writer, config, withStates);
        (_heads, _source) = (new HeadTensors(writer, config), new SourceAttention(writer, config));
        Graph.Input(DecoderGraph.InputIds, OnnxType.Int64, "B", "S");
        Graph.Input(DecoderGraph.SeqLensK, OnnxType.Int32, "B");
        Graph.Input(DecoderGraph.TotalSequenceLength, OnnxType.Int32, 1);
        Graph.Input(DecoderGraph.LogitRows, OnnxType.Int64, "N");
    }

    public GraphWriter Writer { get; }

    public ModelConfig Config { get; }

    /// <summary>Width of the embeddings and of what the head reads.</summary>
    private int EmbeddingWidth => Config.EmbeddingWidth > 0 ? Config.EmbeddingWidth : Config.Hidden;

    private OnnxGraph Graph => Writer.Graph;

    /// <summary>Begins with the tokens' embeddings.</summary>
    /// <param name="scale">What they are multiplied by.</param>
    public void Embed(string name, double scale = 1)
    {
        var table = Writer.Published(name + ".weight", Config.Vocabulary, EmbeddingWidth) with { Kind = MatrixKind.Vocabulary };
        _state = Writer.Scale(Writer.Rows(table, DecoderGraph.InputIds), scale);
    }

    /// <summary>Adds a learned vector for each position.</summary>
    /// <param name="firstRow">The row of position 0.</param>
    public void AddPositions(string name, int firstRow = 0)
    {
        var table = Writer.Weight(name + ".weight", Config.ContextLength + firstRow, Config.Hidden);
        _state = Writer.Add(_state, Writer.Lookup(table, firstRow == 0 ? Positions() : Writer.Add(Positions(), Writer.Whole(firstRow))));
    }

    /// <summary>Adds sines and cosines of each position.</summary>
    public void AddSinusoids() => _state = Writer.Add(_state, Writer.Lookup(Sinusoids.Table(Writer, Config), Positions()));

    /// <summary>The same with fairseq's table, whose first row belongs to padding.</summary>
    public void AddFairseqSinusoids() => _state = Writer.Add(_state, Writer.Lookup(Sinusoids.FairseqTable(Writer, Config), Writer.Add(Positions(), Writer.Whole(1))));

    /// <summary>Goes on from this instead of the state.</summary>
    public void Replace(string state) => _state = state;

    /// <summary>The state with everything added to it.</summary>
    public string State()
    {
        (_state, _pending) = (_pending is null ? _state : Writer.Add(_state, _pending), null);
        return _state;
    }

    /// <summary>Notes the state for the comparison tests.</summary>
    public void OutputState() => OutputState(State(), Config.Hidden);

    /// <summary>state + block(norm(state)), or norm(state + block(state)).</summary>
    public void Half(bool preNorm, string norm, Func<string, string> block)
    {
        if (preNorm)
        {
            Add(block(LayerNorm(norm)));
            return;
        }

        Add(block(State()));
        _state = LayerNorm(norm);
    }

    /// <summary>Tells that a layer begins; the next norm reads the state that the tests call its hidden state.</summary>
    public void BeginLayer() => _wantsState = true;

    /// <summary>RMS norm of the state.</summary>
    /// <param name="gainOffset">Added to the published gain (Gemma stores the distance from one).</param>
    public string RmsNorm(string name, float gainOffset = 0)
    {
        var gain = Gain(name, Config.Hidden, gainOffset);
        string normed;
        if (_pending is null)
        {
            normed = Writer.RmsNorm(_state, gain, Config.NormEpsilon);
        }
        else
        {
            var sum = name + ".sum";
            normed = name + ".normed";
            Graph.Node("SkipSimplifiedLayerNormalization", [_state, _pending, gain], [normed, "", "", sum], OnnxGraph.Microsoft, Epsilon);
            (_state, _pending) = (sum, null);
        }

        TakeState();
        return normed;
    }

    /// <summary>RMS norm of a block's output before it is added to the state.</summary>
    public string RmsNorm(string x, string name, float gainOffset) => Writer.RmsNorm(x, Gain(name, Config.Hidden, gainOffset), Config.NormEpsilon);

    /// <summary>Layer norm of the state.</summary>
    /// <param name="bias">Whether it has offsets.</param>
    public string LayerNorm(string name, bool bias = true)
    {
        string normed;
        if (_pending is null)
        {
            normed = Writer.LayerNorm(_state, name, Config.Hidden, Config.NormEpsilon, bias);
        }
        else
        {
            var sum = name + ".sum";
            normed = name + ".normed";
            Graph.Node(
                "SkipLayerNormalization",
                [_state, _pending, Writer.Weight(name + ".weight", Config.Hidden), .. bias ? [Writer.Weight(name + ".bias", Config.Hidden)] : Array.Empty<string>()],
                [normed, "", "", sum],
                OnnxGraph.Microsoft,
                Epsilon);
            (_state, _pending) = (sum, null);
        }

        TakeState();
        return normed;
    }

    /// <summary>Adds a block's output to the state.</summary>
    public void Add(string output) => _pending = _pending is null ? output : Writer.Add(_pending, output);

    /// <summary>Causal attention over the layer's cache.</summary>
    /// <param name="x">[B, S, H]</param>
    /// <returns>[B, S, H]</returns>
    public string Attention(int layer, string x, AttentionWeights weights, AttentionOptions options)
    {
        var window = Config.Windows.Count > 0 ? Config.Windows[layer] : 0;
        var rope = window > 0 && Config.LocalRope is { } local ? local : Config.Rope;
        var turning = new HeadLayout(Config.HeadDim, options.Rotary ? rope.RotaryWidth(Config.HeadDim) : 0, options.Interleaved);
        var plain = new HeadLayout(Config.HeadDim, 0);
        var (queries, keys) = ((long)Config.Heads * plain.Stored, (long)Config.KvHeads * plain.Stored);
        var name = $"attention.{layer}";
        foreach (var (published, rows) in weights.Layers)
        {
            Writer.Need(published + ".weight", rows, Config.Hidden);
        }

        (HeadRows Rows, int Count, HeadLayout Layout)[] parts =
            [(weights.Query, Config.Heads, turning), (weights.Key, Config.KvHeads, turning), (weights.Value, Config.KvHeads, plain)];
        var matrix = new Matrix($"{name}.qkv.weight", queries + (2 * keys), Config.Hidden, sink =>
        {
            foreach (var part in parts)
            {
                _heads.WriteHeads(sink, part.Rows, ".weight", part.Count, part.Layout, Config.Hidden);
            }
        });
        var qkv = Writer.Linear(x, matrix, options.Bias ? Bias() : null);                                // [B, S, Q + 2K]
        string[] inputs = options.HeadNorms is { } norms ? SplitAndNorm(qkv, norms) : [qkv, "", ""];
        var mixed = $"{name}.mixed";
        Cache(layer, plain.Stored);
        Graph.Node(
            "GroupQueryAttention",
            [
                .. inputs,
                DecoderGraph.PastKey(layer), DecoderGraph.PastValue(layer), DecoderGraph.SeqLensK, DecoderGraph.TotalSequenceLength,
                .. options.Rotary ? _heads.RotaryTables(rope, window > 0 && Config.LocalRope is not null) : [],
                .. options.ScoreBias is { } scoreBias ? new[] { "", "", "", scoreBias } : [], // rotary tables and positions left out
            ],
            [mixed, DecoderGraph.PresentKey(layer), DecoderGraph.PresentValue(layer)],                    // [B, S, Q]
            OnnxGraph.Microsoft,
            Kernel());

        var output = new Matrix($"{name}.output.weight", Config.Hidden, queries, sink => _heads.WriteOutput(sink, weights.Output + ".weight", plain));
        Writer.Need(weights.Output + ".weight", Config.Hidden, (long)Config.Heads * Config.HeadDim);
        return Writer.Linear(mixed, output, options.OutputBias ? Writer.Weight(weights.Output + ".bias", Config.Hidden) : null);

        string Bias()
        {
            foreach (var (published, rows) in weights.Layers)
            {
                Writer.Need(published + ".bias", rows);
            }

            return Writer.Made($"{name}.qkv.bias", [queries + (2 * keys)], sink =>
            {
                foreach (var part in parts)
                {
                    _heads.WriteHeads(sink, part.Rows, ".bias", part.Count, part.Layout, 1);
                }
            });
        }

        string[] SplitAndNorm(string all, (string Query, string Key) gains)
        {
            var split = Writer.Split(all, $"{name}.qkv", queries, keys, keys);
            return
            [
                _heads.NormHeads(split[0], gains.Query, Config.Heads, turning, options),
                _heads.NormHeads(split[1], gains.Key, Config.KvHeads, turning, options),
                split[2],
            ];
        }

        OnnxAttribute[] Kernel()
        {
            var scale = Config.AttentionScale ?? 1 / Math.Sqrt(Config.HeadDim);
            List<OnnxAttribute> attributes =
            [
                ("num_heads", Config.Heads),
                ("kv_num_heads", Config.KvHeads),
                ("do_rotary", options.Rotary ? 1 : 0),
                ("rotary_interleaved", 0),
                ("scale", (float)(Config.ScaleByLayer ? scale / (layer + 1) : scale)),
            ];
            if (window > 0)
            {
                attributes.Add(("local_window_size", window));
            }

            if (Config.AttentionSoftCap > 0)
            {
                attributes.Add(("softcap", (float)Config.AttentionSoftCap));
            }

            return [.. attributes];
        }
    }

    /// <summary>Attention to the source, whose keys and values lie in the slot.</summary>
    /// <param name="x">[B, S, H]</param>
    /// <returns>[B, S, H]</returns>
    public string CrossAttention(int layer, string x, string query, string output, bool bias) => _source.Attend(layer, x, query, output, bias);

    /// <summary>down(act(gate(x)) * up(x)).</summary>
    /// <param name="gateUp">One published layer with the gate's rows and then the others, or null for two.</param>
    public string GatedMlp(string x, string gate, string up, string down, string? gateUp = null, bool bias = false)
    {
        var width = Config.Intermediate;
        var matrix = gateUp is null
            ? Writer.Stacked(gate + ".gate_up.weight", Config.Hidden, (gate + ".weight", width), (up + ".weight", width))
            : Writer.Published(gateUp + ".weight", 2L * width, Config.Hidden);
        var both = Writer.Linear(x, matrix with { IsSensitive = true }, bias ? Writer.StackedVector(gate + ".gate_up.bias", (gate + ".bias", width), (up + ".bias", width)) : null); // [B, S, 2I]
        var halves = Writer.Split(both, matrix.Name, width, width);
        var inner = Writer.Multiply(Writer.Activate(Config.Activation, halves[0]), halves[1]);           // [B, S, I]
        return Writer.Linear(inner, down, Config.Hidden, width, bias);                                   // [B, S, H]
    }

    /// <summary>down(act(up(x))).</summary>
    /// <param name="bias">Whether both have biases.</param>
    public string Mlp(string x, string up, string down, bool bias = true)
    {
        var inner = Writer.Activate(Config.Activation, Writer.Linear(x, up, Config.Intermediate, Config.Hidden, bias)); // [B, S, I]
        return Writer.Linear(inner, down, Config.Hidden, Config.Intermediate, bias);                     // [B, S, H]
    }

    /// <summary>Logits of the rows that are asked for, from the last norm's output. The head may be tied to the embedding.</summary>
    /// <param name="scale">What the states are multiplied by first.</param>
    /// <param name="logitBias">A published [1, V] tensor that is added to the logits.</param>
    public void Head(string normed, string head, bool bias = false, double scale = 1, string? logitBias = null)
    {
        OutputState(normed, EmbeddingWidth);
        normed = Writer.Scale(normed, scale);
        var rows = Graph.Node("Reshape", [normed, Writer.Wholes(-1, EmbeddingWidth)]);                   // [B * S, H]
        var wanted = Graph.Node("Gather", [rows, DecoderGraph.LogitRows], attributes: ("axis", 0));      // [N, H]
        var matrix = Writer.Published(head + ".weight", Config.Vocabulary, EmbeddingWidth) with { Kind = MatrixKind.Vocabulary };
        var offset = bias ? Writer.Weight(head + ".bias", Config.Vocabulary) : logitBias is not null ? Writer.Weight(logitBias, 1, Config.Vocabulary) : null;
        if (Config.LogitSoftCap > 0)
        {
            Graph.Node("Identity", [Writer.SoftCap(Writer.Linear(wanted, matrix, offset), Config.LogitSoftCap)], [DecoderGraph.Logits]);
        }
        else
        {
            Writer.Linear(wanted, matrix, offset, DecoderGraph.Logits);                                  // [N, V]
        }

        Graph.Output(DecoderGraph.Logits, OnnxType.Float, "N", Config.Vocabulary);
    }

    /// <summary>Position of each token in its text: [B, S].</summary>
    public string Positions()
    {
        var tokens = Graph.Node("Shape", [DecoderGraph.InputIds], attributes: [("start", 1), ("end", 2)]); // [1]: S
        var last = Graph.Node("Cast", [DecoderGraph.SeqLensK], attributes: ("to", (long)OnnxType.Int64));  // [B]: the last position
        var first = Writer.Add(Graph.Node("Sub", [last, tokens]), Writer.Whole(1));                        // [B]
        var offsets = Graph.Node("Range", [Writer.Whole(0), Graph.Node("Squeeze", [tokens]), Writer.Whole(1)]); // [S]
        return Writer.Add(Graph.Node("Unsqueeze", [first, Writer.Wholes(1)]), offsets);                    // [B, S]
    }

    private OnnxAttribute Epsilon => ("epsilon", (float)Config.NormEpsilon);

    private string Gain(string name, long width, float offset) => offset == 0
        ? Writer.Weight(name + ".weight", width)
        : Writer.Weight(name + ".weight", [width], gain => gain + offset);

    private void Cache(int layer, int width)
    {
        foreach (var (past, present) in new[]
        {
            (DecoderGraph.PastKey(layer), DecoderGraph.PresentKey(layer)),
            (DecoderGraph.PastValue(layer), DecoderGraph.PresentValue(layer)),
        })
        {
            Graph.Input(past, OnnxType.Float, "B", Config.KvHeads, "M", width);
            Graph.Output(present, OnnxType.Float, "B", Config.KvHeads, "M", width);
        }
    }

    private void TakeState()
    {
        if (_wantsState)
        {
            OutputState(_state, Config.Hidden);
        }

        _wantsState = false;
    }

    private void OutputState(string state, int width)
    {
        if (_withStates)
        {
            var name = DecoderGraph.HiddenState(_states++);
            Graph.Node("Identity", [state], [name]);
            Graph.Output(name, OnnxType.Float, "B", "S", width);
        }
    }
}
