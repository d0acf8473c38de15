using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Tests.Sampling;

/// <summary>The arithmetic of a beam search on distributions that can be added up by hand.</summary>
public sealed class BeamSearchTests
{
    private const int A = 0, B = 1, C = 2, End = 3;

    /// <summary>
    /// A is forbidden. It takes half of what may follow C and a twentieth of what may follow B, so that sharing its part out among the
    /// rest turns the order of the two texts.
    /// </summary>
    [Theory]
    [InlineData(false, 0.3 * 0.42, 0.2 * 0.45)]
    [InlineData(true, 0.2 / 0.5 * 0.45 / 0.5, 0.3 / 0.5 * 0.42 / 0.95)]
    public void Scores_are_shared_out_again_after_the_rules_where_the_model_says_so(bool renormalise, double first, double second)
    {
        var search = new BeamSearch(
            new GenerationRequest
            {
                PromptTokens = [End],
                MaxTokens = 2,
                Beams = new BeamSettings(2, LengthPenalty: 0),
                Rules = new TokenRules { Suppressed = [A], Renormalize = renormalise },
            },
            maxNew: 2,
            vocabulary: 4);
        using var runner = new Distributions();

        runner.Rows = [[0.5, 0.3, 0.2, 1e-9]];
        search.Advance(new RowLogits(runner, [0]));
        runner.Rows = [.. search.Tokens.Select<int, double[]>(token => token == B ? [0.05, 0.28, 0.42, 0.25] : [0.5, 0.45, 0.03, 0.02])];
        search.Advance(new RowLogits(runner, [0, 1]));

        var texts = search.Texts();
        Assert.True(search.IsDone);
        Assert.Equal(Math.Log(first), texts[0].Score, 1e-5);
        Assert.Equal(Math.Log(second), texts[1].Score, 1e-5);
        Assert.Equal(renormalise ? [C, B] : [B, C], texts[0].Pieces.Select(p => p.Token));
    }

    /// <summary>Rows of probabilities, given as logits with another constant each.</summary>
    private sealed class Distributions : IModelRunner
    {
        public double[][] Rows { get; set; } = [];

        public ReadOnlySpan<float> Logits(int row) => Array.ConvertAll(Rows[row], p => (float)(Math.Log(p) + 3 + row));

        public void RunPrefill(int slot, int past, ReadOnlySpan<int> ids, LogitRows rows) => throw new NotSupportedException();

        public void RunDecode(ReadOnlySpan<int> ids, ReadOnlySpan<int> past) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
