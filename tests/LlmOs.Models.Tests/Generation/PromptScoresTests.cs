using LlmOs.Models.Generation;

namespace LlmOs.Models.Tests.Generation;

public class PromptScoresTests
{
    // By hand: softmax of (0, ln 2, ln 5) is (1/8, 2/8, 5/8); of three zeros 1/3 each.
    private static readonly float[] Logits = [0, MathF.Log(2), MathF.Log(5), 0, 0, 0, 9, 9, 9];

    [Fact]
    public void Each_token_is_scored_by_the_row_before_it()
    {
        var scores = PromptScores.Of([2, 1, 0], Logits, top: 0);

        Assert.Equal([2, 1, 0], scores.Select(s => s.Token));
        Assert.Null(scores[0].Logprob);
        Assert.Equal(Math.Log(2.0 / 8), scores[1].Logprob!.Value, 5);
        Assert.Equal(Math.Log(1.0 / 3), scores[2].Logprob!.Value, 5);
        Assert.All(scores, s => Assert.Empty(s.Top));
    }

    [Fact]
    public void The_likeliest_tokens_come_best_first_and_of_equals_the_lower_id()
    {
        var scores = PromptScores.Of([2, 1, 0], Logits, top: 2);

        Assert.Equal([2, 1], scores[1].Top.Select(t => t.Token));
        Assert.Equal(Math.Log(5.0 / 8), scores[1].Top[0].Logprob, 5);
        Assert.Equal([0, 1], scores[2].Top.Select(t => t.Token));
    }

    [Fact]
    public void A_prompt_of_one_token_has_nothing_to_score()
    {
        var score = Assert.Single(PromptScores.Of([1], [0, 0, 0], top: 3));

        Assert.Null(score.Logprob);
    }
}
