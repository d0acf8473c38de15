using LlmOs.Engine.Execution;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// T5's biases on scores (arXiv 1910.10683, section 2.1): one number a head for each bucket of distances; near distances have
/// buckets of their own, far ones share them, and beyond the greatest distance there is one.
/// </summary>
/// <remarks>Letters in shapes: B rows, S tokens of a row, T tokens seen, A heads, R the greatest distance.</remarks>
internal static class RelativeBias
{
    /// <summary>[1, A, S, S], for attention in both directions.</summary>
    /// <param name="reach">R: from this distance on there is one bucket.</param>
    public static string OfEncoder(EncoderWriter encoder, string weight, int buckets, int reach)
    {
        var (writer, graph, heads) = (encoder.Writer, encoder.Writer.Graph, encoder.Config.Heads);
        var table = Table(writer, weight, heads, buckets, -reach, reach, distance =>
            Bucket(Math.Abs(distance), buckets / 2, reach) + (distance > 0 ? buckets / 2 : 0));          // [2R + 1, A]
        var positions = encoder.Offsets();                                                               // [S]
        var distances = graph.Node("Sub", [positions, graph.Node("Unsqueeze", [positions, writer.Wholes(1)])]); // [S, S]: key - query
        var index = writer.Add(graph.Node("Clip", [distances, writer.Whole(-reach), writer.Whole(reach)]), writer.Whole(reach));
        var biases = writer.Lookup(table, index);                                                        // [S, S, A]
        var byHead = graph.Node("Transpose", [biases], attributes: ("perm", new long[] { 2, 0, 1 }));    // [A, S, S]
        return graph.Node("Unsqueeze", [byHead, writer.Wholes(0)]);
    }

    /// <summary>[B, A, S, T], for causal attention over the cache.</summary>
    public static string OfDecoder(DecoderWriter decoder, string weight)
    {
        var (writer, graph, settings) = (decoder.Writer, decoder.Writer.Graph, decoder.Config.Seq2Seq!);
        var (heads, reach) = (decoder.Config.Heads, settings.RelativeDistance);
        var table = Table(writer, weight, heads, settings.RelativeBuckets, 0, reach, distance => Bucket(distance, settings.RelativeBuckets, reach)); // [R + 1, A]
        var distances = graph.Node("Min", [Distances(decoder), writer.Whole(reach)]);                     // [B, S, T]
        return graph.Node("Transpose", [writer.Lookup(table, distances)], attributes: ("perm", new long[] { 0, 3, 1, 2 }));
    }

    /// <summary>ALiBi (arXiv 2108.12409, section 3): scores fall by the distance times a slope of each head. [B, A, S, T], for causal attention over the cache.</summary>
    /// <param name="slopeOf">The slope of each head.</param>
    public static string OfSlopes(DecoderWriter decoder, Func<int, double> slopeOf)
    {
        var (writer, graph, heads) = (decoder.Writer, decoder.Writer.Graph, decoder.Config.Heads);
        var slopes = writer.Made("slopes", [heads, 1, 1], sink => sink.Write([.. Enumerable.Range(0, heads).Select(head => -(float)slopeOf(head))]));
        var distances = graph.Node("Cast", [Distances(decoder)], attributes: ("to", (long)OnnxType.Float));          // [B, S, T]
        return writer.Multiply(graph.Node("Unsqueeze", [distances, writer.Wholes(1)]), slopes);
    }

    /// <summary>How far each query's keys lie behind it; 0 for those before it. [B, S, T]</summary>
    private static string Distances(DecoderWriter decoder)
    {
        var (writer, graph) = (decoder.Writer, decoder.Writer.Graph);
        var total = graph.Node("Cast", [DecoderGraph.TotalSequenceLength], attributes: ("to", (long)OnnxType.Int64)); // [1]
        var keys = graph.Node("Range", [writer.Whole(0), graph.Node("Squeeze", [total]), writer.Whole(1)]);          // [T]
        var queries = graph.Node("Unsqueeze", [decoder.Positions(), writer.Wholes(2)]);                              // [B, S, 1]
        return graph.Node("Max", [graph.Node("Sub", [queries, keys]), writer.Whole(0)]);
    }

    /// <summary>The bias of each distance from <paramref name="first"/> to <paramref name="last"/>.</summary>
    private static string Table(GraphWriter writer, string weight, int heads, int buckets, int first, int last, Func<int, int> bucketOf)
    {
        writer.Need(weight, buckets, heads);
        return writer.Made(weight + ".by_distance", [last - first + 1, heads], sink =>
        {
            var published = writer.Read(weight);
            for (var distance = first; distance <= last; distance++)
            {
                sink.Write(published.AsSpan(bucketOf(distance) * heads, heads));
            }
        });
    }

    /// <summary>In f32, as published: at the borders of buckets rounding decides.</summary>
    private static int Bucket(int distance, int buckets, int reach)
    {
        var exact = buckets / 2;
        if (distance < exact)
        {
            return distance;
        }

        var share = MathF.Log((float)distance / exact) / (float)Math.Log((double)reach / exact) * (buckets - exact);
        return Math.Min(exact + (int)share, buckets - 1);
    }
}
