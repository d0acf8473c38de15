using System.Text;
using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Models.Tasks;

namespace LlmOs.Models.Tests.Tasks;

/// <summary>Answers and names by the words of a tokenizer, for each family: transformers' rules, worked by hand.</summary>
public sealed class WordTaskTests
{
    private const float Sure = 12;

    /// <param name="token">The token that the model points at, by its spelling.</param>
    [Theory]
    [InlineData("WordPiece", "首都 ？", "中国的首都是北京市。", "京", "京", 7, 8)]
    [InlineData("WordPiece", "q", "ab cde,fg", "##d", "cde", 3, 6)]
    [InlineData("WordPiece", "q", "ab 🙂 cde", "##d", "cde", 5, 8)]
    [InlineData("ByteLevel", "q", "ab cde12 fg", "d", "cde", 3, 6)]
    [InlineData("ByteLevel", "q", "🙂 cde12", "d", "cde", 2, 5)]
    [InlineData("Metaspace", "q", "ab cde,fg hi", "g", "cde,fg", 3, 9)]
    public async Task An_answer_is_widened_to_the_words_that_the_tokenizer_cuts(string family, string question, string context, string token, string answer, int start, int end)
    {
        var reply = await Pointing(family, token).AskAsync(QuestionAnswering.RunAsync, Json(family), new { question, context });

        Assert.Equal((answer, start, end), (reply.GetProperty("answer").GetString(), reply.GetProperty("start").GetInt32(), reply.GetProperty("end").GetInt32()));
    }

    [Fact]
    public async Task Several_ideograms_are_answered_as_the_model_points_at_them()
    {
        var reply = await new ScriptedEncoder(["a", "b"], ids => Logits(ids, Id("WordPiece", "北"), Id("WordPiece", "京"))).AskAsync(
            QuestionAnswering.RunAsync, Json("WordPiece"), new { question = "首都", context = "中国的首都是北京市。" });

        Assert.Equal(("北京", 6, 8), (reply.GetProperty("answer").GetString(), reply.GetProperty("start").GetInt32(), reply.GetProperty("end").GetInt32()));
    }

    /// <summary>Of a word that the edge of a window cuts, the window's own part is what can be answered.</summary>
    [Fact]
    public async Task A_word_ends_where_its_window_ends()
    {
        var reply = await Pointing("WordPiece", "##e").AskAsync(
            QuestionAnswering.RunAsync, Json("WordPiece"), new { question = "q", context = "abcdef" }, new PipelineParameters { MaxSeqLen = 9, DocStride = 0 });

        Assert.Equal(("ef", 4, 6), (reply.GetProperty("answer").GetString(), reply.GetProperty("start").GetInt32(), reply.GetProperty("end").GetInt32()));
    }

    [Fact]
    public async Task Without_widening_the_tokens_own_characters_are_the_answer()
    {
        var reply = await Pointing("ByteLevel", "d").AskAsync(
            QuestionAnswering.RunAsync, Json("ByteLevel"), new { question = "q", context = "🙂 cde12" }, new PipelineParameters { AlignToWords = false });

        Assert.Equal(("d", 3, 4), (reply.GetProperty("answer").GetString(), reply.GetProperty("start").GetInt32(), reply.GetProperty("end").GetInt32()));
    }

    /// <summary>A group of one token is put through the decoder like any other, and is called by the last part of its label.</summary>
    [Theory]
    [InlineData("ByteLevel", "b st", "Ġst", "E-PER", "PER", " st", 2, 4)]
    [InlineData("ByteLevel", "🙂 st", "Ġst", "S-A-B", "A-B", " st", 2, 4)]
    [InlineData("WordPiece", "ab", "##b", "I-LOC", "LOC", "##b", 1, 2)]
    [InlineData("Metaspace", "a b", "b", "B-LOC", "LOC", "b", 2, 3)]
    [InlineData("Metaspace", "a 京", "<unk>", "B-LOC", "LOC", "京", 2, 3)]
    [InlineData("Metaspace", "a 🙂", "<unk>", "LOC", "LOC", "🙂", 2, 3)]
    [InlineData("WordPiece", "a 🙂 b", "[UNK]", "B-LOC", "LOC", "🙂", 2, 3)]
    public async Task A_group_of_one_token_reads_as_transformers_reads_it(string family, string text, string token, string label, string group, string word, int start, int end)
    {
        var wanted = Id(family, token);
        var encoder = new ScriptedEncoder(["O", label], ids => [.. ids.SelectMany(id => id == wanted ? [0, Sure] : new[] { Sure, 0 })]);

        var entity = Assert.Single((await encoder.AskAsync(TokenClassification.RunAsync, Json(family), text, new PipelineParameters { AggregationStrategy = "simple" })).EnumerateArray());

        Assert.Equal((group, word), (entity.GetProperty("entity_group").GetString(), entity.GetProperty("word").GetString()));
        Assert.Equal((start, end), (entity.GetProperty("start").GetInt32(), entity.GetProperty("end").GetInt32()));
    }

    /// <summary>An unknown token is its source in groups of several too, whatever the strategy.</summary>
    [Theory]
    [InlineData("WordPiece", "simple", "a 🙂 b", "a 🙂 b")]
    [InlineData("WordPiece", "first", "a 🙂 b", "a 🙂 b")]
    [InlineData("Metaspace", "simple", "a京b", "a京b")]
    [InlineData("Metaspace", "average", "ab 京", "ab 京")]
    public async Task An_unknown_token_reads_as_its_source(string family, string strategy, string text, string word)
    {
        var encoder = new ScriptedEncoder(["O", "X"], ids => [.. ids.SelectMany(_ => new[] { 0, Sure })]);

        var entity = Assert.Single((await encoder.AskAsync(TokenClassification.RunAsync, Json(family), text, new PipelineParameters { AggregationStrategy = strategy })).EnumerateArray());

        Assert.Equal(word, entity.GetProperty("word").GetString());
    }

    /// <summary>Scores of a model that is sure of one token, for begin and end of an answer alike.</summary>
    private static ScriptedEncoder Pointing(string family, string token)
    {
        var wanted = Id(family, token);
        return new ScriptedEncoder(["a", "b"], ids => Logits(ids, wanted, wanted));
    }

    private static float[] Logits(int[] ids, int start, int end) => [.. ids.SelectMany(id => new[] { id == start ? Sure : 0, id == end ? Sure : 0 })];

    private static int Id(string family, string token) => Tokenizer(family).IdOf(token) ?? throw new InvalidOperationException($"'{token}' is no token of {family}.");

    private static IOffsetTokenizer Tokenizer(string family) => TokenizerJson.Parse(Encoding.UTF8.GetBytes(Json(family)));

    private static string Json(string family) => family switch
    {
        "WordPiece" => SmallTokenizers.WordPiece,
        "ByteLevel" => SmallTokenizers.ByteLevel,
        _ => SmallTokenizers.Metaspace,
    };
}
