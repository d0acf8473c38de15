using System.Globalization;
using System.IO.Compression;
using System.Reflection;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// Cuts Chinese characters into words: of all ways the one whose words are the likeliest together, each by how often it was
/// seen. The words are the 50,000 most frequent of jieba's dictionary (MIT); what is none of them is cut into characters.
/// </summary>
internal static class ChineseWords
{
    private const int MaxWord = 6;

    private static readonly Lazy<(Dictionary<string, double>.AlternateLookup<ReadOnlySpan<char>> Costs, double Unknown)> Words = new(Read);

    /// <param name="text">Chinese characters alone.</param>
    /// <returns>Where each word ends.</returns>
    public static IReadOnlyList<int> Ends(ReadOnlySpan<char> text)
    {
        var (costs, unknown) = Words.Value;
        var best = new (double Cost, int End)[text.Length + 1];
        for (var begin = text.Length - 1; begin >= 0; begin--)
        {
            best[begin] = (double.PositiveInfinity, begin + 1);
            for (var end = begin + 1; end <= Math.Min(text.Length, begin + MaxWord); end++)
            {
                if (costs.TryGetValue(text[begin..end], out var cost) || end == begin + 1)
                {
                    var whole = (cost > 0 ? cost : unknown) + best[end].Cost;
                    best[begin] = whole < best[begin].Cost ? (whole, end) : best[begin];
                }
            }
        }

        List<int> ends = [];
        for (var at = 0; at < text.Length; at = best[at].End)
        {
            ends.Add(best[at].End);
        }

        return ends;
    }

    /// <summary>A line for each word: the word, a blank, how often it was seen.</summary>
    private static (Dictionary<string, double>.AlternateLookup<ReadOnlySpan<char>> Costs, double Unknown) Read()
    {
        using var packed = Assembly.GetExecutingAssembly().GetManifestResourceStream("chinese-words.txt.gz")!;
        using var reader = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#') && line.Split(' ') is [var word, var count])
            {
                counts[word] = long.Parse(count, CultureInfo.InvariantCulture);
            }
        }

        var all = Math.Log(counts.Values.Sum());
        var costs = counts.ToDictionary(c => c.Key, c => all - Math.Log(c.Value), StringComparer.Ordinal);
        return (costs.GetAlternateLookup<ReadOnlySpan<char>>(), all);
    }
}
