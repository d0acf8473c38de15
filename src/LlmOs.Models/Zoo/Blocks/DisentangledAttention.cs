using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// Disentangled attention (arXiv 2006.03654, section 3.1, equation 4): to the product of query and key come that of the query with
/// the key's distance, and that of the key with the query's distance.
/// </summary>
/// <remarks>Letters in shapes: B texts, S tokens, A heads, D head width, Q = A * D, P rows of distances on each side of nought.</remarks>
internal sealed class DisentangledAttention
{
    private readonly EncoderWriter _encoder;
    private readonly GraphWriter _writer;
    private readonly DisentangledConfig _own;
    private readonly string _table = "";  // [2P, H]
    private readonly string _rows = "";   // [B, A, S, S]: the row of the distance from query to key

    /// <param name="at">Where the table of distances stands.</param>
    public DisentangledAttention(EncoderWriter encoder, string at)
    {
        (_encoder, _writer, _own) = (encoder, encoder.Writer, encoder.Config.Disentangled!);
        if (!_own.Relative)
        {
            return;
        }

        var config = encoder.Config;
        _table = _writer.Weight(at + ".rel_embeddings.weight", 2L * _own.Span, config.Hidden);
        _table = _own.NormsTable ? encoder.Norm(_table, at + ".LayerNorm") : _table;
        var context = config.ContextLength;
        var byDistance = _writer.Graph.Constant("rows_by_distance", [.. Enumerable.Range(1 - context, (2 * context) - 1).Select(distance => (long)_own.RowOf(distance))]);
        var positions = encoder.Offsets();                                                               // [S]
        var distances = Node("Sub", [Node("Unsqueeze", [positions, _writer.Wholes(1)]), positions]);     // [S, S]: query - key
        var rows = _writer.Lookup(byDistance, _writer.Add(distances, _writer.Whole(context - 1)));       // [S, S]
        var texts = Node("Shape", [Engine.Execution.EncoderNames.InputIds], ("start", 0), ("end", 1));
        var shape = Node("Concat", [texts, _writer.Wholes(config.Heads), encoder.Tokens(), encoder.Tokens()], ("axis", 0));
        _rows = Node("Expand", [rows, shape]);
    }

    /// <param name="x">[B, S, H]</param>
    /// <param name="at">Where the attention's layers stand.</param>
    /// <returns>[B, S, H]</returns>
    public string Attend(string x, string at)
    {
        var config = _encoder.Config;
        long width = (long)config.Heads * config.HeadDim;
        var own = $"{at}.self";
        string Layer(string input, string name, bool bias = true) => _writer.Linear(input, $"{own}.{name}", width, config.Hidden, bias);
        var (query, key, value) = _own.IsPacked ? Unpacked(x, own) : (Layer(x, "query_proj"), Layer(x, "key_proj"), Layer(x, "value_proj"));
        var kinds = 1 + (_own.ContentToPosition ? 1 : 0) + (_own.PositionToContent ? 1 : 0);
        var scale = 1 / Math.Sqrt((double)config.HeadDim * kinds);
        string? bias = null;
        if (_own.Relative && _own.ContentToPosition)
        {
            var layer = _own.IsPacked ? Layer(_table, "pos_proj", bias: false) : Layer(_table, _own.SharesLayers ? "key_proj" : "pos_key_proj");
            var keys = ByHead(layer, 1, 2, 0);                                                           // [A, D, 2P]
            bias = Node("GatherElements", [Node("MatMul", [OfText(query), keys]), _rows], ("axis", -1)); // [B, A, S, S]
        }

        if (_own.Relative && _own.PositionToContent)
        {
            var queries = ByHead(Layer(_table, _own.IsPacked ? "pos_q_proj" : _own.SharesLayers ? "query_proj" : "pos_query_proj"), 1, 2, 0);
            var fromKeys = Node("GatherElements", [Node("MatMul", [OfText(key), queries]), Turned(_rows)], ("axis", -1)); // [B, A, key, query]
            bias = bias is null ? Turned(fromKeys) : _writer.Add(bias, Turned(fromKeys));
        }

        return _encoder.Attend(query, key, value, $"{at}.output.dense", new EncoderAttention
        {
            Heads = config.Heads,
            HeadDim = config.HeadDim,
            Scale = scale,
            ScoreBias = bias is null ? null : _writer.Scale(bias, scale),
        });
    }

    /// <summary>Query, key and value [B, S, Q] of one layer in which each head's three stand together; keys have no bias.</summary>
    private (string Query, string Key, string Value) Unpacked(string x, string own)
    {
        var config = _encoder.Config;
        long width = (long)config.Heads * config.HeadDim;
        var all = _writer.Linear(x, $"{own}.in_proj", 3 * width, config.Hidden, bias: false);
        var byHead = Node("Reshape", [all, _writer.Wholes(0, 0, config.Heads, 3L * config.HeadDim)]);     // [B, S, A, 3D]
        var parts = _writer.Split(byHead, $"{own}.in_proj", config.HeadDim, config.HeadDim, config.HeadDim);
        string Part(int i) => Node("Reshape", [parts[i], _writer.Wholes(0, 0, width)]);
        return (_writer.Add(Part(0), _writer.Weight($"{own}.q_bias", width)), Part(1), _writer.Add(Part(2), _writer.Weight($"{own}.v_bias", width)));
    }

    /// <summary>[B, S, Q] to [B, A, S, D].</summary>
    private string OfText(string x) =>
        Node("Transpose", [Node("Reshape", [x, _writer.Wholes(0, 0, _encoder.Config.Heads, _encoder.Config.HeadDim)])], ("perm", new long[] { 0, 2, 1, 3 }));

    /// <summary>[2P, Q] by head, its axes [2P, A, D] in another order.</summary>
    private string ByHead(string x, params long[] order) =>
        Node("Transpose", [Node("Reshape", [x, _writer.Wholes(0, _encoder.Config.Heads, _encoder.Config.HeadDim)])], ("perm", order));

    private string Turned(string x) => Node("Transpose", [x], ("perm", new long[] { 0, 1, 3, 2 }));

    private string Node(string op, string[] inputs, params OnnxAttribute[] attributes) => _writer.Graph.Node(op, inputs, "", attributes);
}
