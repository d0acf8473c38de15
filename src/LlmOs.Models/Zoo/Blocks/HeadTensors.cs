using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Tensors of attention heads as the slot cache stores them, where a head may be wider than published.</summary>
/// <remarks>Letters in shapes are those of <see cref="DecoderWriter"/>.</remarks>
internal sealed class HeadTensors(GraphWriter writer, ModelConfig config)
{
    /// <summary>
    /// RMS norm of each head, or of all heads as one, [B, S, heads * D], over the published width. A head that is stored wider
    /// has zeros there, which the mean counts: gain and epsilon make up for it.
    /// </summary>
    public string NormHeads(string x, string name, int heads, HeadLayout layout, AttentionOptions options)
    {
        var together = options.NormsSpanHeads ? heads : 1;
        writer.Need(name + ".weight", (long)together * layout.Width);
        var share = (double)layout.Width / layout.Stored;
        var gain = writer.Made(name + ".gain", [(long)together * layout.Stored], sink =>
        {
            var published = writer.Read(name + ".weight");
            foreach (var (head, source, count) in Enumerable.Range(0, together).SelectMany(head => layout.Runs().Select(run => (head, run.Source, run.Count))))
            {
                if (source < 0)
                {
                    sink.WriteZeros(count);
                    continue;
                }

                sink.Write(published.AsSpan((head * layout.Width) + source, count).ToArray().Select(g => (float)((g + options.GainOffset) * Math.Sqrt(share))).ToArray());
            }
        });
        var split = writer.Graph.Node("Reshape", [x, writer.Wholes(0, 0, heads / together, (long)together * layout.Stored)]); // [B, S, heads, D] or [B, S, 1, heads * D]
        var normed = writer.RmsNorm(split, gain, config.NormEpsilon * share);
        return writer.Graph.Node("Reshape", [normed, writer.Wholes(0, 0, (long)heads * layout.Stored)]);        // [B, S, heads * D]
    }

    public void WriteHeads(IFloatSink sink, HeadRows rows, string part, int heads, HeadLayout layout, long columns)
    {
        for (var head = 0; head < heads; head++)
        {
            var first = rows.RowOf(head);
            foreach (var (source, count) in layout.Runs())
            {
                if (source < 0)
                {
                    sink.WriteZeros(count * columns);
                }
                else
                {
                    writer.Copy(sink, rows.Layer + part, (first + source) * columns, count * columns);
                }
            }
        }
    }

    /// <summary>The output projection [H, heads * width] with its columns where the values' rows went.</summary>
    public void WriteOutput(IFloatSink sink, string name, HeadLayout layout)
    {
        if (layout.Stored == layout.Width)
        {
            writer.Copy(sink, name, 0, (long)config.Hidden * config.Heads * layout.Width);
            return;
        }

        for (var head = 0L; head < (long)config.Hidden * config.Heads; head++)
        {
            foreach (var (source, count) in layout.Runs())
            {
                if (source < 0)
                {
                    sink.WriteZeros(count);
                }
                else
                {
                    writer.Copy(sink, name, (head * layout.Width) + source, count);
                }
            }
        }
    }

    public string[] RotaryTables(RopeConfig rope, bool local)
    {
        var name = local ? "rotary.local" : "rotary";
        return [Rotary(name + ".cos", rope, Math.Cos), Rotary(name + ".sin", rope, Math.Sin)];           // [C, D / 2] each
    }

    private string Rotary(string name, RopeConfig rope, Func<double, double> function)
    {
        var width = HeadLayout.StoredWidth(config.HeadDim) / 2;
        return writer.Made(name, [config.ContextLength, width], sink =>
        {
            var frequencies = RotaryTable.Frequencies(rope, config.HeadDim);
            var row = new float[width];
            for (var position = 0; position < config.ContextLength; position++)
            {
                RotaryTable.Fill(frequencies, position, function, rope.AttentionFactor, row);
                sink.Write(row);
            }
        });
    }
}
