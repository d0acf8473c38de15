using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>The merges of a BPE model as a table of pairs, from the forms in which files state them.</summary>
internal static class MergeTables
{
    /// <summary>Character comparisons that finding the pairs of ranked tokens may take; published vocabularies need a tenth.</summary>
    private const long MaxWork = 200_000_000;

    /// <param name="merges">Pairs in order of rank.</param>
    /// <param name="prefix">Length of the prefix that a right-hand token loses when it is merged.</param>
    public static PairTable OfPairs(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, int prefix)
    {
        var table = new PairTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (right.Length < prefix)
            {
                throw new TokenizerFormatException(
                    $"model.merges[{rank}]: \"{Vocabulary.Shown(right)}\" is shorter than continuing_subword_prefix.");
            }

            table.Set(IdOf(left), IdOf(right), rank, IdOf(left + right[prefix..]));

            int IdOf(string token) => vocabulary.Find(token) ?? throw new TokenizerFormatException(
                $"model.merges[{rank}]: \"{Vocabulary.Shown(token)}\" is not in the vocabulary.");
        }

        return table;
    }

    /// <summary>Every pair of tokens that together spell a ranked token; and whether no such token joins a ▁ to another character before it.</summary>
    /// <param name="ranks">By id; -1 for tokens that merging never makes.</param>
    public static (PairTable Table, bool BreaksBeforeSpace) OfRanks(Vocabulary vocabulary, IReadOnlyList<int> ranks)
    {
        var work = 0L;
        var found = new List<(int Left, int Right, int Id)>();
        var breaks = vocabulary.Find("▁") is not null;
        for (var id = 0; id < ranks.Count; id++)
        {
            if (ranks[id] < 0 || vocabulary.SpellingOf(id) is not { Length: > 1 } token)
            {
                continue;
            }

            work += (long)token.Length * token.Length;
            if (work > MaxWork)
            {
                throw new TokenizerFormatException("The vocabulary's tokens are too long in all: finding their merges would take too much work.");
            }

            breaks &= !JoinsSpace(token);
            for (var cut = 1; cut < token.Length; cut++)
            {
                if (!char.IsLowSurrogate(token[cut])
                    && vocabulary.TryGet(token.AsSpan(0, cut), out var left) && vocabulary.TryGet(token.AsSpan(cut), out var right))
                {
                    found.Add((left, right, id));
                }
            }
        }

        var table = new PairTable(found.Count);
        foreach (var (left, right, id) in found)
        {
            table.Set(left, right, ranks[id], id);
        }

        return (table, breaks);
    }

    /// <summary>Whether no merge joins a <c>▁</c> to a different character before it.</summary>
    public static bool BreakBeforeSpace(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        if (vocabulary.Find("▁") is null)
        {
            return false;
        }

        foreach (var (left, right) in merges)
        {
            if (right.StartsWith('▁') && !left.EndsWith('▁'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a <c>▁</c> stands behind a different character.</summary>
    public static bool JoinsSpace(string token)
    {
        for (var i = 1; i < token.Length; i++)
        {
            if (token[i] == '▁' && token[i - 1] != '▁')
            {
                return true;
            }
        }

        return false;
    }
}
