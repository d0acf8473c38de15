using System.Runtime.InteropServices;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>How often each run of n items occurs in a list.</summary>
internal static class WordGrams
{
    /// <summary>Stands between items of a gram; no word holds it, since words are split at it.</summary>
    private const char Between = ' ';

    /// <summary>Counts by n, the first for n = 1.</summary>
    public static Dictionary<string, int>[] Count(IReadOnlyList<string> words, int order) =>
        [.. Enumerable.Range(1, order).Select(n => CountOf(words, n))];

    /// <summary>Counts of the runs of exactly <paramref name="n"/> items.</summary>
    public static Dictionary<string, int> CountOf(IReadOnlyList<string> words, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i + n <= words.Count; i++)
        {
            Add(counts, n == 1 ? words[i] : string.Join(Between, Enumerable.Range(i, n).Select(at => words[at])));
        }

        return counts;
    }

    /// <summary>What both hold: of each gram the smaller count.</summary>
    public static int Shared(Dictionary<string, int> a, Dictionary<string, int> b) =>
        a.Sum(pair => Math.Min(pair.Value, b.GetValueOrDefault(pair.Key)));

    public static void Add(Dictionary<string, int> counts, string gram) =>
        CollectionsMarshal.GetValueRefOrAddDefault(counts, gram, out _)++;
}
