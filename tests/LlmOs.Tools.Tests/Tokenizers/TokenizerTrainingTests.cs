using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Tokenizers;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Tokenizers;

/// <summary>From a text to a <c>tokenizer.json</c> that the engine reads as any published one.</summary>
public sealed class TokenizerTrainingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static string Corpus => SharedFolder.Require("data", "bpe-training", "corpus.en");

    [Theory]
    [InlineData("bpe", "BPE")]
    [InlineData("unigram", "Unigram")]
    public void A_text_comes_back_from_its_ids(string train, string kind)
    {
        var tokenizer = Train(Request(train) with { CharacterCoverage = train == "bpe" ? null : 1 });
        var text = File.ReadAllText(Corpus);

        Assert.Equal((kind, 1_000), (tokenizer.Kind, tokenizer.VocabularySize));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: false), skipSpecialTokens: true));
    }

    [Fact]
    public void WordPiece_frames_and_cuts_text_as_bert_does()
    {
        var tokenizer = Train(Request("wordpiece"));

        var tokens = tokenizer.Encode("THE café, windows 🦙", addSpecialTokens: true, parseSpecialTokens: false).Select(tokenizer.TokenOf).ToList();

        Assert.Equal(("WordPiece", 1_000), (tokenizer.Kind, tokenizer.VocabularySize));
        Assert.Equal(["[CLS]", "the"], tokens.Take(2));
        Assert.Equal(["[UNK]", "[SEP]"], tokens.TakeLast(2));
        Assert.Equal("the cafe , windows", string.Join(' ', tokens.Skip(1).SkipLast(2)).Replace(" ##", "", StringComparison.Ordinal));
        Assert.Equal([0, 1, 2, 3, 4], new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }.Select(t => tokenizer.IdOf(t) ?? -1));
    }

    [Theory]
    [InlineData("bpe")]
    [InlineData("unigram")]
    [InlineData("wordpiece")]
    public void A_larger_vocabulary_takes_fewer_tokens_for_a_word(string train)
    {
        var small = Measure(Train(Request(train) with { Vocabulary = 400 }), train);
        var large = Measure(Train(Request(train) with { Vocabulary = 2_000 }), train);

        Assert.Equal(File.ReadAllText(Corpus).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, small.Words);
        Assert.InRange(large.Fertility, 1, small.Fertility * 0.9);
        Assert.InRange(large.Coverage, train == "bpe" ? 1 : 0.99, 1);
    }

    [Fact]
    public void The_rarest_characters_are_unknown_and_the_coverage_says_how_many_they_are()
    {
        var path = _folder.At("text.txt");
        File.WriteAllText(path, string.Concat(Enumerable.Repeat("abab ", 999)) + "ab界世 ab"); // 4000 characters, 2 of them rare

        foreach (var train in new[] { "unigram", "wordpiece" })
        {
            var tokenizer = Train(Request(train) with { CharacterCoverage = 0.999 }, path);
            var measure = new TokenizerMeasure(tokenizer, train == "unigram" ? "<unk>" : "[UNK]");
            measure.Add(File.ReadAllText(path));

            Assert.Equal((1001, 4002), (measure.Words, measure.Characters));
            Assert.Equal(1 - (2 / 4002.0), measure.Coverage, 1e-12);
        }
    }

    [Fact]
    public void The_same_text_gives_the_same_file()
    {
        foreach (var train in new[] { "bpe", "unigram", "wordpiece" })
        {
            Train(Request(train));
            var first = File.ReadAllBytes(_folder.At("tokenizer.json"));
            Train(Request(train));
            Assert.True(first.AsSpan().SequenceEqual(File.ReadAllBytes(_folder.At("tokenizer.json"))), train);
        }
    }

    [Fact]
    public void A_special_token_spelt_out_in_a_text_is_text()
    {
        foreach (var train in new[] { "bpe", "unigram" })
        {
            var tokenizer = Train(Request(train));
            var end = tokenizer.IdOf("<|endoftext|>");

            Assert.DoesNotContain(end!.Value, tokenizer.Encode("a<|endoftext|>b", addSpecialTokens: false, parseSpecialTokens: false));
            Assert.Contains(end.Value, tokenizer.Encode("a<|endoftext|>b", addSpecialTokens: false, parseSpecialTokens: true));
        }
    }

    public static TheoryData<string, TokenizerTrainingRequest> Bad => new()
    {
        { "name", Request("bpe") with { Name = "No Name" } },
        { "train", Request("phonetic") },
        { "vocabulary", Request("bpe") with { Vocabulary = 256 } },
        { "vocabulary", Request("unigram") with { Vocabulary = 300_000 } },
        { "special_tokens", Request("unigram") with { SpecialTokens = [] } },
        { "special_tokens", Request("unigram") with { SpecialTokens = ["<a>", "<a>"] } },
        { "special_tokens", Request("wordpiece") with { SpecialTokens = ["has space"] } },
        { "character_coverage", Request("unigram") with { CharacterCoverage = 0 } },
        { "character_coverage", Request("unigram") with { CharacterCoverage = double.NaN } },
        { "character_coverage", Request("bpe") with { CharacterCoverage = 0.9 } },
        { "lowercase", Request("unigram") with { Lowercase = true } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_field_is_refused_by_its_name(string field, TokenizerTrainingRequest request) =>
        Assert.Equal(field, Assert.Throws<LlmOsException>(() => TokenizerPlan.Of(request)).Field);

    public void Dispose() => _folder.Dispose();

    private static TokenizerTrainingRequest Request(string train) => new() { Name = "mine", Text = "file:/text.txt", Train = train, Vocabulary = 1_000 };

    private IOffsetTokenizer Train(TokenizerTrainingRequest request, string? text = null)
    {
        var path = _folder.At("tokenizer.json");
        TokenizerTraining.Run(TokenizerPlan.Of(request), TextChunks.Read(text ?? Corpus, TrainingPlan.EndOfText), path, _ => { }, CancellationToken.None);
        return TokenizerJson.Load(path);
    }

    private static TokenizerMeasure Measure(IOffsetTokenizer tokenizer, string train)
    {
        var measure = new TokenizerMeasure(tokenizer, TokenizerPlan.Of(Request(train)).Unknown);
        measure.Add(File.ReadAllText(Corpus));
        return measure;
    }
}
