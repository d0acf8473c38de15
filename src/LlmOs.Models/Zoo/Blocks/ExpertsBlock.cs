using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// A mixture of experts ("Mixtral of Experts", arXiv 2401.04088, section 2.1): a router's softmax over all experts, the best
/// few of each token, their gated feed-forward outputs weighted and summed. Each expert runs on its own tokens only.
/// </summary>
/// <remarks>Letters in shapes: T tokens of all rows, H hidden, E experts, P experts a token, n tokens of one expert.</remarks>
internal static class ExpertsBlock
{
    /// <param name="x">[B, S, H]</param>
    /// <param name="router">The published router layer.</param>
    /// <param name="expert">The published gate, up and down layers of an expert.</param>
    /// <returns>[B, S, H]</returns>
    public static string Write(DecoderWriter decoder, string x, string router, Func<int, (string Gate, string Up, string Down)> expert)
    {
        var (writer, config) = (decoder.Writer, decoder.Config);
        var (graph, experts) = (writer.Graph, config.Experts!);
        var tokens = graph.Node("Reshape", [x, writer.Wholes(-1, config.Hidden)]);                       // [T, H]
        var scores = writer.Linear(tokens, writer.Published(router + ".weight", experts.Count, config.Hidden) with { Kind = MatrixKind.Router }); // [T, E]
        var shares = graph.Node("Softmax", [scores], attributes: ("axis", -1));                          // [T, E]
        var (best, chosen) = ($"{router}.best", $"{router}.chosen");
        graph.Node("TopK", [shares, writer.Wholes(experts.PerToken)], [best, chosen], "", ("axis", -1)); // [T, P] each
        if (experts.Normalise)
        {
            best = graph.Node("Div", [best, graph.Node("ReduceSum", [best, writer.Wholes(-1)], attributes: ("keepdims", 1))]);
        }

        var nothing = writer.Scale(shares, 0);                                                           // [T, E]
        var weights = graph.Node("ScatterElements", [nothing, chosen, best], attributes: ("axis", 1));   // [T, E]
        var columns = writer.Split(weights, $"{router}.weights", [.. Enumerable.Repeat(1L, experts.Count)]); // E of [T, 1]
        var sum = writer.Scale(tokens, 0);                                                               // [T, H]
        for (var i = 0; i < experts.Count; i++)
        {
            var weight = graph.Node("Squeeze", [columns[i], writer.Wholes(1)]);                          // [T]
            var rows = graph.Node("Transpose", [graph.Node("NonZero", [weight])], attributes: ("perm", new long[] { 1, 0 })); // [n, 1]
            var own = graph.Node("GatherND", [tokens, rows]);                                            // [n, H]
            var output = Expert(writer, config, own, expert(i), experts.Intermediate);                   // [n, H]
            var weighted = writer.Multiply(output, graph.Node("GatherND", [columns[i], rows]));          // [n, H]
            sum = graph.Node("ScatterND", [sum, rows, weighted], attributes: ("reduction", "add"));
        }

        return graph.Node("Reshape", [sum, graph.Node("Shape", [x])]);
    }

    private static string Expert(GraphWriter writer, ModelConfig config, string x, (string Gate, string Up, string Down) layers, long width)
    {
        var matrix = writer.Stacked(layers.Gate + ".gate_up.weight", config.Hidden, (layers.Gate + ".weight", width), (layers.Up + ".weight", width));
        var halves = writer.Split(writer.Linear(x, matrix), matrix.Name, width, width);
        return writer.Linear(writer.Multiply(writer.Activate(config.Activation, halves[0]), halves[1]), layers.Down, config.Hidden, width, bias: false);
    }
}
