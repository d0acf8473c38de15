using LlmOs.Engine.Execution;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>A decoder's attention to the source that its encoder has read.</summary>
/// <remarks>Letters in shapes are those of <see cref="DecoderWriter"/>.</remarks>
internal sealed class SourceAttention(GraphWriter writer, ModelConfig config)
{
    private string? _sourceMask;

    /// <summary>Attention to the source, whose keys and values lie in the slot.</summary>
    /// <param name="x">[B, S, H]</param>
    /// <returns>[B, S, H]</returns>
    public string Attend(int layer, string x, string query, string output, bool bias)
    {
        var (heads, width) = (config.Heads, config.HeadDim);
        var max = config.Seq2Seq!.MaxSource;
        foreach (var name in new[] { DecoderGraph.CrossKey(layer), DecoderGraph.CrossValue(layer) })
        {
            writer.Graph.Input(name, OnnxType.Float, "B", heads, max, width);
        }

        var all = writer.Linear(x, query, (long)heads * width, config.Hidden, bias);                     // [B, S, heads * width]
        var queries = writer.Graph.Node("Transpose", [writer.Graph.Node("Reshape", [all, writer.Wholes(0, 0, heads, width)])], attributes: ("perm", new long[] { 0, 2, 1, 3 }));
        var products = writer.Graph.Node(
            "FusedMatMul", [queries, DecoderGraph.CrossKey(layer)], OnnxGraph.Microsoft, ("transB", 1), ("alpha", (float)(config.AttentionScale ?? 1 / Math.Sqrt(width)))); // [B, heads, S, M]
        var shares = writer.Graph.Node("Softmax", [writer.Add(products, SourceMask(max))], attributes: ("axis", -1));
        var mixed = writer.Graph.Node("MatMul", [shares, DecoderGraph.CrossValue(layer)]);                      // [B, heads, S, width]
        var joined = writer.Graph.Node("Transpose", [mixed], attributes: ("perm", new long[] { 0, 2, 1, 3 }));
        return writer.Linear(writer.Graph.Node("Reshape", [joined, writer.Wholes(0, 0, (long)heads * width)]), output, config.Hidden, (long)heads * width, bias);
    }

    /// <summary>0 where a source has a token, so low where not that nothing is left of it: [B, 1, 1, M]. Made once.</summary>
    private string SourceMask(int max)
    {
        if (_sourceMask is not null)
        {
            return _sourceMask;
        }

        writer.Graph.Input(DecoderGraph.SourceLengths, OnnxType.Int32, "B");
        var places = writer.Graph.Node("Cast", [writer.Graph.Node("Range", [writer.Whole(0), writer.Whole(max), writer.Whole(1)])], attributes: ("to", (long)OnnxType.Int32)); // [M]
        var lengths = writer.Graph.Node("Unsqueeze", [DecoderGraph.SourceLengths, writer.Wholes(1, 2, 3)]);     // [B, 1, 1, 1]
        return _sourceMask = writer.Graph.Node("Where", [writer.Graph.Node("Less", [places, lengths]), writer.Real(0), writer.Real(-1e30)]);
    }
}
