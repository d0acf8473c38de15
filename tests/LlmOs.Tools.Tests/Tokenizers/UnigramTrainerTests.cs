using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Tests.Tokenizers;

public sealed class UnigramTrainerTests
{
    private static readonly string[] Lexicon = ["the", "cat", "sat", "upon", "golden", "mountain", "😀🎈", "and", "once", "forest"];

    [Fact]
    public void The_lattice_counts_what_every_way_to_cut_a_word_would_count()
    {
        var random = new Random(7);
        for (var round = 0; round < 50; round++)
        {
            var pieces = RandomPieces(random);
            var word = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => new[] { "a", "b", "a", "b", "😀" }[random.Next(5)]));
            var all = Cuts(word, pieces).Select(ids => (Ids: ids, Weight: Math.Exp(ids.Sum(id => pieces[id].Score)))).ToList();
            var expected = new double[pieces.Count];
            foreach (var (ids, weight) in all)
            {
                ids.ForEach(id => expected[id] += 3 * weight / all.Sum(a => a.Weight));
            }

            var found = new double[pieces.Count];
            var cuts = new UnigramCuts(pieces);
            cuts.AddExpected(word, 3, found);
            var best = cuts.Best(word);

            Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
            Assert.Equal(all.Max(a => a.Weight), Math.Exp(best.Score), 1e-12);
            Assert.Equal(best.Score, best.Ids.Sum(id => pieces[id].Score), 1e-9);
            Assert.Equal(word, string.Concat(best.Ids.Select(id => pieces[id].Piece)));
        }
    }

    [Fact]
    public void Words_that_were_glued_together_are_found_again()
    {
        var random = new Random(1);
        var words = Enumerable.Range(0, 3_000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(2, 6)).Select(_ => Lexicon[random.Next(Lexicon.Length)])))
            .GroupBy(w => w).Select(w => (w.Key, (long)w.Count())).OrderByDescending(w => w.Item2).ThenBy(w => w.Key, StringComparer.Ordinal).ToList();
        var alphabet = new Alphabet(words, 1);

        var pieces = UnigramTrainer.Train(words, alphabet, alphabet.Characters.Count + Lexicon.Length, CancellationToken.None);

        Assert.Equal(Lexicon.Order(StringComparer.Ordinal), pieces.Select(p => p.Piece).Where(p => p.Length > 2 || p == "😀🎈").Order(StringComparer.Ordinal));
        Assert.Equal(alphabet.Characters.Count + Lexicon.Length, pieces.Count);
        Assert.InRange(pieces.Sum(p => Math.Exp(p.Score)), 0.9, 1.0001); // probabilities
    }

    [Fact]
    public void A_vocabulary_without_room_for_the_characters_is_refused()
    {
        (string, long)[] words = [("abcdefgh", 2)];

        var refusal = Assert.Throws<LlmOsException>(() => UnigramTrainer.Train(words, new Alphabet(words, 1), 7, CancellationToken.None));

        Assert.Equal((ErrorCode.InvalidRequest, "vocabulary"), (refusal.Code, refusal.Field));
    }

    private static UnigramPieces RandomPieces(Random random)
    {
        string[] spellings = ["a", "b", "😀", "ab", "ba", "aa", "aba", "b😀", "😀a", "abab"];
        return new UnigramPieces([.. spellings.Where((s, i) => i < 3 || random.Next(2) == 0).Select(s => (s, -5 * random.NextDouble()))]);
    }

    private static IEnumerable<List<int>> Cuts(string word, UnigramPieces pieces)
    {
        if (word.Length == 0)
        {
            yield return [];
        }

        for (var length = 1; length <= word.Length; length++)
        {
            if (pieces.Find(word.AsSpan(0, length)) is >= 0 and var id)
            {
                foreach (var rest in Cuts(word[length..], pieces))
                {
                    yield return [id, .. rest];
                }
            }
        }
    }
}
