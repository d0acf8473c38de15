using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Learns the pieces of a unigram language model (Kudo 2018, arXiv:1804.10959) as SentencePiece does: from every part of a word
/// that is seen twice, expectation maximisation finds how likely each piece is, and rounds of pruning drop the pieces whose loss
/// costs the likelihood of the text least.
/// </summary>
/// <remarks>Single characters always stay, so that each word of the alphabet can be cut.</remarks>
internal sealed class UnigramTrainer
{
    private const int MaxSeeds = 1_000_000;
    private const int MaxWords = 200_000;
    private const int RoundsBeforePruning = 2;
    private const double Kept = 0.75;              // of the pieces, in a round of pruning
    private const double Slack = 1.1;              // pruning ends here; the likeliest pieces make up the vocabulary
    private const double MinExpected = 0.5;      // times that a piece is used, below which it goes

    private readonly IReadOnlyList<(string Text, long Count)> _stretches;
    private readonly List<string> _characters;
    private UnigramPieces _pieces;

    private UnigramTrainer(IReadOnlyList<(string Word, long Count)> words, Alphabet alphabet, CancellationToken cancel)
    {
        _stretches = [.. words.Take(MaxWords).SelectMany(w => Known(w.Word, alphabet).Select(text => (text, w.Count)))];
        _characters = [.. alphabet.Characters.Select(c => c.ToString())];
        _pieces = Seeds(cancel);
    }

    /// <param name="words">Normalised and cut, with their counts, the most frequent first.</param>
    /// <param name="alphabet">Other characters become the unknown token; pieces do not reach across them.</param>
    /// <param name="count">Pieces wanted.</param>
    /// <param name="cancel">Stops between two passes.</param>
    /// <returns>The likeliest pieces first, with the logarithms of their probabilities; fewer than wanted where the text has no more.</returns>
    public static IReadOnlyList<(string Piece, double Score)> Train(
        IReadOnlyList<(string Word, long Count)> words, Alphabet alphabet, int count, CancellationToken cancel)
    {
        TokenizerPlan.CheckRoom(alphabet.Characters.Count, count);
        var trainer = new UnigramTrainer(words, alphabet, cancel);
        for (var enough = (int)(count * Slack); ;)
        {
            for (var round = 0; round < RoundsBeforePruning; round++)
            {
                trainer.Maximise(trainer.Expect(cancel));
            }

            if (trainer._pieces.Count <= enough)
            {
                return trainer.Best(count);
            }

            trainer.Prune(Math.Max(enough, (int)(Kept * trainer._pieces.Count)), cancel);
        }
    }

    /// <summary>The stretches of a word without foreign characters.</summary>
    private static IEnumerable<string> Known(string word, Alphabet alphabet)
    {
        var stretch = new StringBuilder();
        foreach (var character in word.EnumerateRunes())
        {
            if (alphabet.Has(character))
            {
                stretch.Append(character);
            }
            else if (stretch.Length > 0)
            {
                yield return stretch.ToString();
                stretch.Clear();
            }
        }

        if (stretch.Length > 0)
        {
            yield return stretch.ToString();
        }
    }

    /// <summary>All characters, and the parts of words that stand for most of the text.</summary>
    private UnigramPieces Seeds(CancellationToken cancel)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (text, count) in _stretches)
        {
            cancel.ThrowIfCancellationRequested();
            var bounds = UnigramPieces.Bounds(text);
            for (var start = 0; start + 1 < bounds.Length; start++)
            {
                for (var end = start + 1; end < bounds.Length && end - start <= UnigramPieces.MaxCharacters; end++)
                {
                    var part = text.AsSpan(bounds[start], bounds[end] - bounds[start]);
                    lookup[part] = lookup.TryGetValue(part, out var known) ? known + count : count;
                }
            }
        }

        var single = _characters.Select(c => (Piece: c, Weight: (double)Math.Max(1, counts.GetValueOrDefault(c))));
        var longer = counts.Where(c => c.Value >= 2 && Characters(c.Key) > 1)
            .Select(c => (Piece: c.Key, Weight: (double)c.Value * Characters(c.Key)))
            .OrderByDescending(c => c.Weight).ThenBy(c => c.Piece, StringComparer.Ordinal)
            .Take(MaxSeeds);
        List<(string Piece, double Weight)> seeds = [.. single, .. longer];
        var all = Math.Log(seeds.Sum(s => s.Weight));
        return new UnigramPieces([.. seeds.Select(s => (s.Piece, Math.Log(s.Weight) - all))]);
    }

    /// <summary>How often each piece is used, over all ways to cut each word, each as likely as the pieces say.</summary>
    private double[] Expect(CancellationToken cancel)
    {
        var expected = new double[_pieces.Count];
        var cuts = new UnigramCuts(_pieces);
        foreach (var (text, count) in _stretches)
        {
            cancel.ThrowIfCancellationRequested();
            cuts.AddExpected(text, count, expected);
        }

        return expected;
    }

    /// <summary>Probabilities from counts; as in SentencePiece the digamma function stands for the logarithm, which makes rare pieces rarer.</summary>
    private void Maximise(double[] expected)
    {
        var kept = Enumerable.Range(0, _pieces.Count)
            .Where(id => expected[id] >= MinExpected || _pieces.IsCharacter(id))
            .Select(id => (Piece: _pieces[id].Piece, Count: Math.Max(expected[id], MinExpected)))
            .ToList();
        var all = Digamma(kept.Sum(k => k.Count));
        _pieces = new UnigramPieces([.. kept.Select(k => (k.Piece, Digamma(k.Count) - all))]);
    }

    /// <summary>Keeps the pieces without which the text would become least likely.</summary>
    private void Prune(int wanted, CancellationToken cancel)
    {
        var used = new double[_pieces.Count];
        var cuts = new UnigramCuts(_pieces);
        foreach (var (text, count) in _stretches)
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var id in cuts.Best(text).Ids)
            {
                used[id] += count;
            }
        }

        var all = used.Sum();
        var kept = new HashSet<int>();
        var others = new List<(int Id, double Loss)>();
        for (var id = 0; id < _pieces.Count; id++)
        {
            if (_pieces.IsCharacter(id))
            {
                kept.Add(id);
            }
            else if (used[id] > 0)
            {
                others.Add((id, Loss(id, cuts.Best(_pieces[id].Piece, without: id).Ids, used, all)));
            }
        }

        kept.UnionWith(others.OrderByDescending(o => o.Loss).ThenBy(o => o.Id).Take(Math.Max(0, wanted - kept.Count)).Select(o => o.Id));
        _pieces = new UnigramPieces([.. Enumerable.Range(0, _pieces.Count).Where(kept.Contains).Select(id => _pieces[id])]);
    }

    /// <summary>What the text's logarithmic likelihood loses for each piece used, when others take the place of one.</summary>
    private static double Loss(int id, IReadOnlyList<int> instead, double[] used, double all)
    {
        var with = Math.Log(used[id]) - Math.Log(all);
        var allWithout = Math.Log(all + (used[id] * (instead.Count - 1)));
        var without = instead.Sum(other => Math.Log(used[other] + used[id]) - allWithout);
        return used[id] / all * (with - without);
    }

    private List<(string Piece, double Score)> Best(int count)
    {
        var characters = Enumerable.Range(0, _pieces.Count).Where(_pieces.IsCharacter).ToList();
        var longer = Enumerable.Range(0, _pieces.Count).Where(id => !_pieces.IsCharacter(id)).OrderByDescending(id => _pieces[id].Score).Take(count - characters.Count);
        return [.. characters.Concat(longer).Select(id => _pieces[id]).OrderByDescending(p => p.Score).ThenBy(p => p.Piece, StringComparer.Ordinal)];
    }

    private static int Characters(string text) => UnigramPieces.Bounds(text).Length - 1;

    /// <summary>The derivative of the logarithm of the gamma function: recurrence up to 7, then its asymptotic series.</summary>
    private static double Digamma(double x)
    {
        var result = 0.0;
        for (; x < 7; x++)
        {
            result -= 1 / x;
        }

        x -= 0.5;
        var square = 1 / (x * x);
        return result + Math.Log(x) + (square * ((1 / 24.0) - (square * ((7 / 960.0) - (square * ((31 / 8064.0) - (square * (127 / 30720.0))))))));
    }
}
