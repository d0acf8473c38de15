namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Learns a WordPiece vocabulary as Hugging Face's tokenizers library does: the merges of BPE over characters, in which every
/// part that does not begin its word has a prefix. Only the parts are kept: encoding looks for the longest, not for merges.
/// </summary>
internal static class WordPieceTrainer
{
    /// <summary>What tokens that continue a word begin with.</summary>
    public const string Prefix = "##";

    /// <param name="words">Normalised and cut, with their counts.</param>
    /// <param name="alphabet">Words with other characters become the unknown token whole, so nothing is learnt from them.</param>
    /// <param name="reserved">Tokens that are there already, the unknown one among them; they get the first ids.</param>
    /// <param name="vocabulary">Tokens wanted.</param>
    /// <param name="cancel">Stops between two merges.</param>
    /// <returns>The tokens in the order of their ids; fewer than wanted where no two parts stand together twice.</returns>
    public static IReadOnlyList<string> Train(
        IReadOnlyList<(string Word, long Count)> words, Alphabet alphabet, IReadOnlyList<string> reserved, int vocabulary, CancellationToken cancel)
    {
        var known = words.Where(w => w.Word.EnumerateRunes().All(alphabet.Has)).ToList();
        var tokens = new List<string>(reserved);
        tokens.AddRange(alphabet.Characters.Order().Select(c => c.ToString()).Except(reserved));
        tokens.AddRange(known.SelectMany(w => w.Word.EnumerateRunes().Skip(1)).Distinct().Order().Select(c => Prefix + c));
        TokenizerPlan.CheckRoom(tokens.Count, vocabulary);

        var ids = tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
        var pairs = new PairCounts(known.Select(w => (Symbols(w.Word, ids), w.Count)), EarlierFirst);
        while (tokens.Count < vocabulary && pairs.TakeBest() is { } best)
        {
            cancel.ThrowIfCancellationRequested();
            var joined = tokens[best.Left] + tokens[best.Right][Prefix.Length..];
            if (!ids.TryGetValue(joined, out var id))
            {
                id = tokens.Count;
                tokens.Add(joined);
                ids.Add(joined, id);
            }

            pairs.Merge(best, id);
        }

        return tokens;
    }

    private static int[] Symbols(string word, Dictionary<string, int> ids)
    {
        var symbols = new List<int>(word.Length);
        foreach (var character in word.EnumerateRunes())
        {
            symbols.Add(ids[symbols.Count == 0 ? character.ToString() : Prefix + character]);
        }

        return [.. symbols];
    }

    private static int EarlierFirst((int Left, int Right) one, (int Left, int Right) other) => one.CompareTo(other);
}
