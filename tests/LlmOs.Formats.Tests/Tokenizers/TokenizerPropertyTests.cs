using System.Globalization;
using System.Text;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>What holds for every text: round trips by each tokenizer's own rules, streams, ranges, batches.</summary>
public sealed class TokenizerPropertyTests
{
    private const int Rounds = 400;

    private static readonly Dictionary<string, string[]> Files = new()
    {
        ["gpt2"] = ["vectors", "tokenizers", "models", "gpt2", "tokenizer.json"],
        ["bert"] = ["vectors", "tokenizers", "models", "bert-base-uncased", "tokenizer.json"],
        ["t5"] = ["vectors", "tokenizers", "models", "t5-like-unigram", "tokenizer.json"],
        ["spiece"] = ["vectors", "tokenizers", "models", "t5-like-unigram", "spiece.model"],
        ["phi3"] = ["models", "tokenizers", "phi3", "tokenizer.json"],
        ["smollm2"] = ["models", "smollm2-135m-instruct", "tokenizer.json"],
        ["qwen3"] = ["models", "tokenizers", "qwen3", "tokenizer.json"],
        ["tok512"] = ["models", "stories260K", "tok512.model"],
    };

    private static readonly Dictionary<string, IOffsetTokenizer> Loaded = [];

    public static TheoryData<string> All => [.. Files.Keys.Where(name => name != "qwen3")]; // like GPT-2's, and slow to load

    [Fact]
    public void Byte_level_BPE_gives_every_text_back()
    {
        var (tokenizer, random) = (Load("gpt2"), new RandomText(seed: 1));
        for (var i = 0; i < Rounds; i++)
        {
            var text = random.Next();

            Assert.Equal(RandomText.Whole(text), tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void Byte_level_BPE_with_a_normaliser_gives_the_composed_text_back()
    {
        var (tokenizer, random) = (Load("qwen3"), new RandomText(seed: 9));
        for (var i = 0; i < Rounds; i++)
        {
            var text = RandomText.Whole(random.Next());

            Assert.Equal(text.Normalize(NormalizationForm.FormC), tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void Byte_fallback_gives_every_text_back_but_for_the_mark_of_spaces()
    {
        var (tokenizer, random) = (Load("phi3"), new RandomText(seed: 2));
        for (var i = 0; i < Rounds; i++)
        {
            // The spelling of a byte is that byte's token, and the mark is a space: both are how the format spells them.
            var text = random.Next().Replace("<0x41>", "", StringComparison.Ordinal).Replace("<unk>", "", StringComparison.Ordinal)
                .Replace("<s>", "", StringComparison.Ordinal).Replace("</s>", "", StringComparison.Ordinal).Replace("<|endoftext|>", "", StringComparison.Ordinal);

            Assert.Equal(
                RandomText.Whole(text).Replace('▁', ' '),
                tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false), skipSpecialTokens: false));
        }
    }

    [Theory]
    [InlineData("bert", "[UNK]")]
    [InlineData("t5", "<unk>")]
    [InlineData("spiece", "<unk>")]
    [InlineData("tok512", "<unk>")]
    public void What_normalising_tokenizers_give_back_they_give_back_again(string name, string unknown)
    {
        var (tokenizer, random, checkedTexts) = (Load(name), new RandomText(seed: 3), 0);
        for (var i = 0; i < Rounds; i++)
        {
            var ids = tokenizer.Encode(random.Next(8), addSpecialTokens: false, parseSpecialTokens: false);
            var text = tokenizer.Decode(ids, skipSpecialTokens: false);
            if (ids.Any(id => tokenizer.IsSpecial(id) || tokenizer.TokenOf(id) == unknown) || text.Contains('\uFFFD'))
            {
                continue;
            }

            checkedTexts++;

            // What was taken out may have kept characters apart that compose now; that is all that may change.
            Assert.Equal(Bare(text), Bare(tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false), skipSpecialTokens: false)));
        }

        Assert.True(checkedTexts > 20, $"Only {checkedTexts} texts were known as a whole.");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_stream_gives_what_the_whole_gives_wherever_it_is_cut(string name)
    {
        var (tokenizer, random) = (Load(name), new RandomText(seed: 4));
        for (var i = 0; i < Rounds; i++)
        {
            var ids = i % 2 == 0 ? random.Ids(tokenizer.VocabularySize) : tokenizer.Encode(random.Next(), addSpecialTokens: true, parseSpecialTokens: true);
            var skip = i % 3 == 0;
            var whole = tokenizer.Decode(ids, skip);
            var stream = new StreamingDecoder(tokenizer, skip);
            var given = new StringBuilder();
            for (var k = 0; k < ids.Length; k++)
            {
                given.Append(stream.Append(ids[k]));

                // Nothing that was given is taken back, and no character comes in halves.
                Assert.StartsWith(given.ToString(), whole, StringComparison.Ordinal);
                Assert.False(given.Length > 0 && char.IsHighSurrogate(given[^1]));

                // Cut here, the rest is what the whole of this beginning has beyond what was given.
                var cut = new StreamingDecoder(tokenizer, skip);
                var beginning = string.Concat(ids.Take(k + 1).Select(cut.Append)) + cut.Finish();
                Assert.Equal(tokenizer.Decode(ids.AsSpan(0, k + 1), skip), beginning);
            }

            Assert.Equal(whole, given.Append(stream.Finish()).ToString());
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Ranges_lie_within_the_text_in_order_and_cut_no_character(string name)
    {
        var (tokenizer, random) = (Load(name), new RandomText(seed: 5));
        for (var i = 0; i < Rounds; i++)
        {
            var text = random.Next();
            var spans = tokenizer.EncodeWithOffsets(text, null, addSpecialTokens: true, parseSpecialTokens: true);

            Assert.Equal(tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true), spans.Select(s => s.Id));
            var last = 0;
            foreach (var span in spans.Where(s => s.Sequence == 0))
            {
                Assert.InRange(span.Start, 0, span.End);
                Assert.InRange(span.End, span.Start, text.Length);
                Assert.True(span.Start >= last || span.End >= last, "A range goes back.");
                Assert.False(Cuts(text, span.Start) || Cuts(text, span.End), "A range cuts a character.");
                last = Math.Max(last, span.Start);
            }

            Assert.All(spans.Where(s => s.Sequence < 0), s => Assert.Equal(s.Start, s.End));
        }
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("smollm2")]
    [InlineData("phi3")]
    public void Ranges_slice_the_text_that_their_token_names(string name)
    {
        var (tokenizer, random, named) = (Load(name), new RandomText(seed: 6), 0);
        for (var i = 0; i < Rounds; i++)
        {
            var text = RandomText.Whole(random.Next());
            foreach (var span in tokenizer.EncodeWithOffsets(text, null, addSpecialTokens: false, parseSpecialTokens: false))
            {
                // The second of two shows a token without what decoding does at the beginning of a text.
                var once = tokenizer.Decode([span.Id], skipSpecialTokens: false);
                var shown = tokenizer.Decode([span.Id, span.Id], skipSpecialTokens: false)[once.Length..];
                if (shown.Contains('\uFFFD') || shown.Trim().Length == 0)
                {
                    continue; // A part of a character, or the space that was put first and stands for the first character.
                }

                named++;
                Assert.Equal(shown.Trim(), text[span.Start..span.End].Replace('▁', ' ').Trim());
            }
        }

        Assert.True(named > 1000, $"Only {named} tokens name a text.");
    }

    [Fact]
    public void Berts_ranges_slice_what_normalises_to_their_token()
    {
        var (tokenizer, random, named) = (Load("bert"), new RandomText(seed: 7), 0);
        for (var i = 0; i < Rounds; i++)
        {
            var text = RandomText.Whole(random.Next());
            foreach (var span in tokenizer.EncodeWithOffsets(text, null, addSpecialTokens: false, parseSpecialTokens: false))
            {
                var token = tokenizer.TokenOf(span.Id)!;
                if (token == "[UNK]")
                {
                    continue;
                }

                named++;

                // Equal but for syllables, of which each letter is a token of its own.
                Assert.Contains(token.StartsWith("##", StringComparison.Ordinal) && token.Length > 2 ? token[2..] : token, Bare(text[span.Start..span.End]), StringComparison.Ordinal);
            }
        }

        Assert.True(named > 1000, $"Only {named} tokens name a text.");
    }

    [Fact]
    public void A_batch_on_all_cores_gives_what_one_after_the_other_gives()
    {
        var (tokenizer, random) = (Load("gpt2"), new RandomText(seed: 8));
        var texts = Enumerable.Range(0, 500).Select(_ => random.Next()).ToList();

        var batch = tokenizer.EncodeBatch(texts, addSpecialTokens: true, parseSpecialTokens: true);

        Assert.Equal(texts.Select(text => tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true)), batch);
    }

    [Fact]
    public void Encoding_known_words_allocates_nothing_a_token()
    {
        var tokenizer = Load("gpt2");
        var text = string.Concat(Enumerable.Repeat("The quick brown fox jumps over the lazy dog. ", 2000));
        var tokens = tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false).Length;

        var before = GC.GetAllocatedBytesForCurrentThread();
        tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;

        // The lists of pieces and ids grow by doubling; there is nothing else, so no object for a token.
        Assert.True(bytes < 64 * tokens, $"{bytes} bytes for {tokens} tokens.");
    }

    [Fact]
    public void Truncation_and_padding_are_read_but_not_done()
    {
        var tokenizer = TokenizerJson.Load(SharedFolder.Require("models", "all-minilm-l6-v2", "tokenizer.json"));

        Assert.Equal(new TruncationRule(128, 0, "LongestFirst", FromLeft: false), tokenizer.Truncation);
        Assert.Equal(new PaddingRule(128, null, 0, 0, "[PAD]", OnLeft: false), tokenizer.Padding);
        Assert.Equal(3, tokenizer.Encode("hello", addSpecialTokens: true, parseSpecialTokens: false).Length);
        Assert.True(tokenizer.Encode(string.Concat(Enumerable.Repeat("hello ", 300)), addSpecialTokens: true, parseSpecialTokens: false).Length > 128);
    }

    private static IOffsetTokenizer Load(string name)
    {
        var path = SharedFolder.Require(Files[name]);
        lock (Loaded)
        {
            return Loaded.TryGetValue(name, out var known) ? known
                : Loaded[name] = TokenizerFolder.Load(new Dictionary<string, string> { [path.EndsWith(".json", StringComparison.Ordinal) ? "tokenizer.json" : "spiece.model"] = path });
        }
    }

    private static bool Cuts(string text, int at) => at > 0 && at < text.Length && char.IsHighSurrogate(text[at - 1]) && char.IsLowSurrogate(text[at]);

    /// <summary>Small letters without accents, controls and spaces: what BERT's normaliser leaves of a word.</summary>
    private static string Bare(string text) => string.Concat(text
        .Replace("\uFFFD", "", StringComparison.Ordinal).Replace("\uFFFE", "", StringComparison.Ordinal).Normalize(NormalizationForm.FormD)
        .EnumerateRunes()
        .Where(rune => !Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse))
        .Select(rune => Rune.ToLowerInvariant(rune).ToString()));
}
