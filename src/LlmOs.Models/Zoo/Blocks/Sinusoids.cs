using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Positions as sines and cosines ("Attention Is All You Need", section 3.5), the sines in the first half of the width, the cosines in the second.</summary>
internal static class Sinusoids
{
    /// <summary>[C, H]</summary>
    public static string Table(GraphWriter writer, ModelConfig config) =>
        Table(writer, config, "sinusoids", config.ContextLength, (config.Hidden + 1) / 2, (row, pair) => row / Math.Pow(10_000, 2.0 * pair / config.Hidden));

    /// <summary>
    /// fairseq's table: wavelengths that reach 10,000 in the last pair, noughts for padding in the first row, and positions
    /// that begin one behind the padding id. [C + 1, H]
    /// </summary>
    public static string FairseqTable(GraphWriter writer, ModelConfig config)
    {
        var (half, padding) = (config.Hidden / 2, config.PadToken ?? 1);
        return Table(writer, config, "sinusoids.fairseq", config.ContextLength + 1, half, (row, pair) => row == 0 ? null : (row + padding) / Math.Pow(10_000, (double)pair / (half - 1)));
    }

    /// <param name="sines">Columns of sines; as many cosines follow, as far as the width reaches.</param>
    /// <param name="angleOf">The angle in a row for each pair, or null for noughts.</param>
    private static string Table(GraphWriter writer, ModelConfig config, string name, int rows, int sines, Func<int, int, double?> angleOf) =>
        writer.Made(name, [rows, config.Hidden], sink =>
        {
            var row = new float[config.Hidden];
            for (var position = 0; position < rows; position++)
            {
                for (var i = 0; i < Math.Min(config.Hidden, 2 * sines); i++)
                {
                    row[i] = angleOf(position, i < sines ? i : i - sines) is { } angle ? (float)(i < sines ? Math.Sin(angle) : Math.Cos(angle)) : 0;
                }

                sink.Write(row);
            }
        });
}
