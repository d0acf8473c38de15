using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Bounds the parts of a sequence: each of them goes over the whole text.</summary>
internal static class Sequences
{
    /// <summary>Published files have fewer than twenty.</summary>
    private const int MaxParts = 256;

    /// <summary>The parts, counted with those of sequences within.</summary>
    public static List<T> Checked<T>(IEnumerable<T> parts, Func<T, int> size, string component)
    {
        var list = new List<T>();
        var count = 0;
        foreach (var part in parts)
        {
            count += size(part);
            if (count > MaxParts)
            {
                throw new TokenizerFormatException($"{component} has more than {MaxParts} parts.");
            }

            list.Add(part);
        }

        return list;
    }
}
