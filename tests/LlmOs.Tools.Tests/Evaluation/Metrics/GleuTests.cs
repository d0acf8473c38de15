namespace LlmOs.Tools.Tests.Evaluation.Metrics;

/// <summary>GLEU by hand, on the sentences that the BLEU paper and NLTK use.</summary>
public class GleuTests
{
    private const string Obeys = "It is a guide to action which ensures that the military always obeys the commands of the party";
    private const string Heed = "It is a guide to action that ensures that the military will forever heed Party commands";
    private const string Guarantees = "It is the guiding principle which guarantees the military forces always being under the command of the Party";
    private const string Practical = "It is the practical guide for the army always to heed the directions of the party";
    private const string Read = "he read the book because he was interested in world history";
    private const string Interested = "he was interested in world history because he read the book";

    [Theory]
    [InlineData(Heed, 29)]
    [InlineData(Guarantees, 12)]
    [InlineData(Practical, 14)]
    public async Task Shared_runs_stand_over_those_of_the_longer_text(string reference, int shared)
    {
        // 18 words have 18 + 17 + 16 + 15 = 66 runs of 1 to 4; no reference has more.
        var reply = await Scored.ByAsync("gleu", [Obeys], [[reference]]);

        Assert.Equal(shared / 66.0, reply.Score!.Value, 1e-12);
    }

    [Fact]
    public async Task The_best_reference_counts_and_a_corpus_is_all_over_all()
    {
        // 11 words have 11 + 10 + 9 + 8 = 38 runs, of which 30 are in both.
        var reply = await Scored.ByAsync("gleu", [Obeys, Read], [[Practical, Heed, Guarantees], [Interested]]);

        Assert.Equal([29 / 66.0, 30 / 38.0], reply.Scores.Select(score => score!.Value));
        Assert.Equal((29 + 30) / (66.0 + 38), reply.Score!.Value, 1e-12);
    }

    [Fact]
    public async Task A_word_that_comes_again_is_shared_as_often_as_both_have_it()
    {
        // Runs of "the the the": 3 + 2 + 1 = 6; of "the cat": 2 + 1 = 3. Shared: one "the".
        var four = await Scored.ByAsync("gleu", ["the the the"], [["the cat"]]);
        var words = await Scored.ByAsync("gleu", ["the the the"], [["the cat the"]], new { max_len = 1 });

        Assert.Equal(1 / 6.0, four.Score!.Value, 1e-12);
        Assert.Equal(2 / 3.0, words.Score!.Value, 1e-12);
    }

    [Fact]
    public async Task Without_a_word_it_is_0() => Assert.Equal(0, (await Scored.ByAsync("gleu", [""], [[""]])).Score!.Value);
}
