using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// The characters that a vocabulary spells out: the most frequent ones that together make up a share of the text. The others
/// become the unknown token, so that a few stray characters do not take the place of many words' parts.
/// </summary>
internal sealed class Alphabet
{
    private readonly HashSet<Rune> _known;

    /// <param name="coverage">Share of the characters, from 0 to 1.</param>
    public Alphabet(IReadOnlyList<(string Word, long Count)> words, double coverage)
    {
        var counts = new Dictionary<Rune, long>();
        foreach (var (word, count) in words)
        {
            foreach (var rune in word.EnumerateRunes())
            {
                counts[rune] = counts.GetValueOrDefault(rune) + count;
            }
        }

        var (all, covered) = (counts.Values.Sum(), 0L);
        Characters = [.. counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key).TakeWhile(c =>
        {
            var needed = covered < coverage * all;
            covered += c.Value;
            return needed;
        }).Select(c => c.Key)];
        _known = [.. Characters];
    }

    /// <summary>Most frequent first.</summary>
    public IReadOnlyList<Rune> Characters { get; }

    public bool Has(Rune character) => _known.Contains(character);
}
