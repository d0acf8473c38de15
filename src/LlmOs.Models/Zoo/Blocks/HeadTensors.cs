using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Tensors of attention heads as the slot cache stores them, where a head may be wider than published.</summary>
/// <remarks>Letters in shapes are those of <see cref="DecoderWriter"/>.</remarks>
internal sealed class HeadTensors(GraphWriter writer, ModelConfig config)
{
    /// <summary>
    /// Norms of heads [B, S, heads * D] over the published width. A head that is stored wider has zeros there, which a mean
    /// counts: gain and epsilon make up for it.
    /// </summary>
    public string NormHeads(string x, string name, int heads, HeadLayout layout, AttentionOptions options) =>
        options.HeadNorm is HeadNorm.Layer or HeadNorm.LayerApart
            ? LayerNormHeads(x, name, heads, layout, options.HeadNorm)
            : RmsNormHeads(x, name, heads, options.HeadNorm == HeadNorm.Together ? heads : 1, layout, options.GainOffset);

    /// <param name="together">Heads that one norm spans.</param>
    private string RmsNormHeads(string x, string name, int heads, int together, HeadLayout layout, float gainOffset)
    {
        writer.Need(name + ".weight", (long)together * layout.Width);
        var share = (double)layout.Width / layout.Stored;
        var gain = writer.Made(name + ".gain", [(long)together * layout.Stored], sink =>
        {
            var published = writer.Read(name + ".weight");
            for (var head = 0; head < together; head++)
            {
                WriteGains(sink, published.AsSpan(head * layout.Width, layout.Width), layout, g => (float)((g + gainOffset) * Math.Sqrt(share)));
            }
        });
        var split = writer.Graph.Node("Reshape", [x, writer.Wholes(0, 0, heads / together, (long)together * layout.Stored)]); // [B, S, heads, D] or [B, S, 1, heads * D]
        var normed = writer.RmsNorm(split, gain, config.NormEpsilon * share);
        return writer.Graph.Node("Reshape", [normed, writer.Wholes(0, 0, (long)heads * layout.Stored)]);        // [B, S, heads * D]
    }

    /// <summary>A layer norm is an RMS norm of what is left when the mean is taken away.</summary>
    private string LayerNormHeads(string x, string name, int heads, HeadLayout layout, HeadNorm kind)
    {
        string[] weights = kind == HeadNorm.Layer ? [name + ".weight"] : [.. Enumerable.Range(0, heads).Select(head => $"{name}.norms.{head}.weight")];
        foreach (var weight in weights)
        {
            writer.Need(weight, kind == HeadNorm.Layer ? [heads, layout.Width] : [layout.Width]);
        }

        var share = (double)layout.Width / layout.Stored;
        var split = writer.Graph.Node("Reshape", [x, writer.Wholes(0, 0, heads, layout.Stored)]);               // [B, S, heads, D]
        var mean = writer.Graph.Node("ReduceMean", [split, writer.Wholes(-1)], attributes: ("keepdims", 1));
        var centred = writer.Graph.Node("Sub", [split, writer.Scale(mean, 1 / share)]);
        centred = share == 1 ? centred : writer.Multiply(centred, Alike(1));
        var gain = writer.Made(name + ".gain", [heads, layout.Stored], sink =>
        {
            var published = weights.SelectMany(writer.Read).ToArray();
            for (var head = 0; head < heads; head++)
            {
                WriteGains(sink, published.AsSpan(head * layout.Width, layout.Width), layout, g => g);
            }
        });
        var normed = writer.Multiply(writer.RmsNorm(centred, Alike(Math.Sqrt(share)), config.NormEpsilon * share), gain);
        return writer.Graph.Node("Reshape", [normed, writer.Wholes(0, 0, (long)heads * layout.Stored)]);        // [B, S, heads * D]

        // One value where a head has a component, nought elsewhere: [D].
        string Alike(double value) => writer.Made($"heads.{value:R}", [layout.Stored], sink => WriteGains(sink, new float[layout.Width], layout, _ => (float)value));
    }

    private static void WriteGains(IFloatSink sink, ReadOnlySpan<float> published, HeadLayout layout, Func<float, float> map)
    {
        foreach (var (source, count) in layout.Runs())
        {
            if (source < 0)
            {
                sink.WriteZeros(count);
                continue;
            }

            var gains = published.Slice(source, count).ToArray();
            for (var i = 0; i < gains.Length; i++)
            {
                gains[i] = map(gains[i]);
            }

            sink.Write(gains);
        }
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
