using System.Runtime.InteropServices;

namespace LlmOs.Tools.Tokenizers;

/// <summary>How often each word of a text stands there: all that the trainers see of it.</summary>
internal sealed class WordCounts
{
    /// <summary>Words held at most; beyond it those that were seen once so far are forgotten.</summary>
    private const int MaxWords = 4_000_000;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public void Add(ReadOnlySpan<char> word)
    {
        if (_counts.Count >= MaxWords)
        {
            ForgetRare();
        }

        CollectionsMarshal.GetValueRefOrAddDefault(_counts.GetAlternateLookup<ReadOnlySpan<char>>(), word, out _)++;
    }

    /// <summary>The most frequent words first, equally frequent ones in the order of their characters: the same list for the same text.</summary>
    public IReadOnlyList<(string Word, long Count)> Ranked() =>
        [.. _counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, c.Value))];

    private void ForgetRare()
    {
        foreach (var (word, count) in _counts)
        {
            if (count == 1)
            {
                _counts.Remove(word);
            }
        }
    }
}
