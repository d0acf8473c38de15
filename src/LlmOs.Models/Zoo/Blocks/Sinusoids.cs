using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Positions as sines and cosines ("Attention Is All You Need", section 3.5), the sines in the first half of the width, the cosines in the second.</summary>
internal static class Sinusoids
{
    /// <summary>[C, H]</summary>
    public static string Table(GraphWriter writer, ModelConfig config) => writer.Made("sinusoids", [config.ContextLength, config.Hidden], sink =>
    {
        var row = new float[config.Hidden];
        var sines = (config.Hidden + 1) / 2;
        for (var position = 0; position < config.ContextLength; position++)
        {
            for (var i = 0; i < config.Hidden; i++)
            {
                var pair = i < sines ? i : i - sines;
                var angle = position / Math.Pow(10_000, 2.0 * pair / config.Hidden);
                row[i] = (float)(i < sines ? Math.Sin(angle) : Math.Cos(angle));
            }

            sink.Write(row);
        }
    });
}
