using System.Text;
using System.Text.Json;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;
using LlmOs.Tools.Tokenizers;

namespace LlmOs.Tools.Tests.Tokenizers;

public class BytePairTrainerTests
{
    private static readonly string[] Special = ["<|endoftext|>"];

    [Fact]
    public void The_most_frequent_pair_is_merged_first_and_ties_go_to_the_greater_bytes()
    {
        // low x5, lower x2, widest x3, newest x6: the example of Sennrich et al., whose ties "es" and "st" (9) the greater bytes decide.
        var trainer = new BytePairTrainer();
        foreach (var (word, count) in new[] { ("low", 5), ("lower", 2), ("widest", 3), ("newest", 6) })
        {
            for (var i = 0; i < count; i++)
            {
                trainer.Add(word);
            }
        }

        var merges = trainer.Train(256 + 1 + 6, Special, CancellationToken.None).Merges.Select(m => $"{m.Left} {m.Right}");

        Assert.Equal(["s t", "e st", "o w", "l ow", "w est", "n e"], merges);
    }

    [Fact]
    public void Its_merges_equal_those_of_a_plain_recount_after_each_merge()
    {
        var random = new Random(3);
        var words = Enumerable.Range(0, 60)
            .Select(_ => (Word: string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abcé"[random.Next(4)])), Count: random.Next(1, 9)))
            .DistinctBy(w => w.Word).ToList();
        var trainer = new BytePairTrainer();
        foreach (var (word, count) in words)
        {
            for (var i = 0; i < count; i++)
            {
                trainer.Add(word);
            }
        }

        var merges = trainer.Train(256 + 1 + 40, Special, CancellationToken.None).Merges.Take(40).ToList();

        Assert.Equal(Recount(words, merges.Count), merges);
    }

    [Fact]
    public void Any_text_comes_back_from_its_ids()
    {
        var tokenizer = Read(Train("The king's daughter went to the well, and the king went after her. " + "日本語のテキスト 日本語", 320));
        var random = new Random(11);
        for (var i = 0; i < 500; i++)
        {
            var text = new StringBuilder();
            for (var n = random.Next(1, 40); n > 0; n--)
            {
                var rune = random.Next(4) switch { 0 => random.Next(0x20, 0x7F), 1 => random.Next(0xA0, 0xD800), 2 => random.Next(0x10000, 0x110000), _ => "\n\t '"[random.Next(4)] };
                text.Append(char.ConvertFromUtf32(rune));
            }

            Assert.Equal(text.ToString(), tokenizer.Decode(Encode(tokenizer, text.ToString()), skipSpecialTokens: true));
        }
    }

    [Fact]
    public void A_text_that_is_one_word_is_merged_as_a_plain_recount_merges_it()
    {
        var random = new Random(5);
        List<(string Word, int Count)> words = [(string.Concat(Enumerable.Range(0, 600).Select(_ => "abc"[random.Next(3)])), 1), (new string('a', 31), 2)];
        var trainer = new BytePairTrainer();
        foreach (var (word, count) in words)
        {
            for (var i = 0; i < count; i++)
            {
                trainer.Add(word);
            }
        }

        var merges = trainer.Train(256 + 1 + 60, Special, CancellationToken.None).Merges.ToList();

        Assert.Equal(Recount(words, merges.Count), merges);
    }

    [Fact]
    public void A_word_of_a_million_letters_is_learnt_from_and_encoded_with_work_that_grows_as_the_word_does()
    {
        // Looking through the whole word again at each of its merges would take a day.
        var random = new Random(7);
        var word = string.Concat(Enumerable.Range(0, 1_000_000).Select(_ => "acgt"[random.Next(4)]));

        var pairs = Train(word, 4096);
        var tokenizer = Read(pairs);
        var ids = Encode(tokenizer, word);

        Assert.Equal(4096, pairs.VocabularySize);
        Assert.InRange(ids.Length, 1, 250_000);
        Assert.Equal(word, tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [Fact]
    public void Learning_stops_between_two_merges_when_it_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var trainer = new BytePairTrainer();
        trainer.Add("abababab");

        Assert.Throws<OperationCanceledException>(() => trainer.Train(300, Special, cancel.Token));
    }

    [Fact]
    public void A_text_without_repetition_gives_a_smaller_vocabulary_than_was_asked_for() =>
        Assert.Equal(257, Train("abcdefg", 4096).VocabularySize);

    [Fact]
    public void The_file_has_the_layout_that_published_tokenizers_have()
    {
        var path = Path.GetTempFileName();
        Train("the cat and the hat and the bat", 262).Write(path);

        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        File.Delete(path);

        var root = json.RootElement;
        Assert.Equal("ByteLevel", root.GetProperty("pre_tokenizer").GetProperty("type").GetString());
        Assert.Equal("ByteLevel", root.GetProperty("decoder").GetProperty("type").GetString());
        var added = Assert.Single(root.GetProperty("added_tokens").EnumerateArray());
        Assert.Equal((0, "<|endoftext|>", true), (added.GetProperty("id").GetInt32(), added.GetProperty("content").GetString(), added.GetProperty("special").GetBoolean()));
        var model = root.GetProperty("model");
        Assert.Equal("BPE", model.GetProperty("type").GetString());
        var vocabulary = model.GetProperty("vocab").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32());
        Assert.Equal(Enumerable.Range(0, 262), vocabulary.Values.Order());
        Assert.Equal(1, vocabulary["!"]);
        Assert.All(model.GetProperty("merges").EnumerateArray(), m => Assert.Contains(m.GetString()!.Replace(" ", "", StringComparison.Ordinal), vocabulary.Keys));
    }

    [Fact]
    public void A_real_corpus_trains_to_500_tokens_whose_first_merges_are_the_obvious_ones()
    {
        var corpus = File.ReadAllText(SharedFolder.Require("data", "bpe-training", "corpus.en"));
        var pairs = Train(corpus, 500);

        var tokenizer = Read(pairs);
        var ids = Encode(tokenizer, corpus);

        Assert.Equal(500, pairs.VocabularySize);
        Assert.Equal([("Ġ", "t"), ("Ġ", "a"), ("h", "e"), ("i", "n")], pairs.Merges.Take(4));
        Assert.Equal(corpus, tokenizer.Decode(ids, skipSpecialTokens: true));
        Assert.InRange(ids.Length, 1, Encoding.UTF8.GetByteCount(corpus) / 2);
    }

    private static BytePairs Train(string text, int vocabulary)
    {
        var trainer = new BytePairTrainer();
        trainer.Add(text);
        return trainer.Train(vocabulary, Special, CancellationToken.None);
    }

    /// <summary>What serves the trained tokenizer.</summary>
    private static IOffsetTokenizer Read(BytePairs pairs)
    {
        using var folder = new TempFolder();
        pairs.Write(folder.At("tokenizer.json"));
        return TokenizerJson.Load(folder.At("tokenizer.json"));
    }

    private static int[] Encode(IOffsetTokenizer tokenizer, string text) => tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);

    private static List<(string, string)> Recount(List<(string Word, int Count)> words, int merges)
    {
        var split = words.Select(w => (Symbols: Encoding.UTF8.GetBytes(w.Word).Select(b => new[] { b }).ToList(), w.Count)).ToList();
        var made = new List<(string, string)>();
        var known = new HashSet<string>();
        while (made.Count < merges)
        {
            var counts = new Dictionary<(string, string), int>();
            foreach (var (symbols, count) in split)
            {
                for (var i = 0; i + 1 < symbols.Count; i++)
                {
                    var pair = (Convert.ToHexString(symbols[i]), Convert.ToHexString(symbols[i + 1]));
                    counts[pair] = counts.GetValueOrDefault(pair) + count;
                }
            }

            // Hex keeps the order of bytes; a token that is already there is not made twice.
            var (left, right) = counts.Where(c => c.Value >= 2 && !known.Contains(c.Key.Item1 + c.Key.Item2))
                .OrderByDescending(c => c.Value).ThenByDescending(c => c.Key.Item1, StringComparer.Ordinal).ThenByDescending(c => c.Key.Item2, StringComparer.Ordinal)
                .First().Key;
            known.Add(left + right);
            made.Add((ByteAlphabet.Spell(Convert.FromHexString(left)), ByteAlphabet.Spell(Convert.FromHexString(right))));
            foreach (var (symbols, _) in split)
            {
                for (var i = 0; i + 1 < symbols.Count; i++)
                {
                    if (Convert.ToHexString(symbols[i]) == left && Convert.ToHexString(symbols[i + 1]) == right)
                    {
                        symbols[i] = [.. symbols[i], .. symbols[i + 1]];
                        symbols.RemoveAt(i + 1);
                    }
                }
            }
        }

        return made;
    }
}
