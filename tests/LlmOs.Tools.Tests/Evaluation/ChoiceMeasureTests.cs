using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Evaluation;

namespace LlmOs.Tools.Tests.Evaluation;

public sealed class ChoiceMeasureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ab", "c", "ab c", 2)]
    [InlineData("ab", " c", "ab c", 2)] // a blank of its own is enough
    [InlineData("ab  ", "c", "ab   c", 2)] // blanks at the end of the context are the continuation's
    [InlineData("", "cd", "^cd", 1)]
    [InlineData("  ", "c", "^   c", 1)]
    public void Context_and_choice_are_tokenised_together(string context, string choice, string expected, int scoredFrom)
    {
        var (ids, from) = ChoiceMeasure.Encode(context, choice, new LetterModel());

        Assert.Equal((expected, scoredFrom), (string.Concat(ids.Select(id => (char)id)), from));
    }

    [Fact]
    public async Task The_likeliest_choice_is_the_answer_as_it_is_and_by_its_length()
    {
        // Behind a blank: "!" is near, "!!!!" costs no more in all and less by its characters.
        var outcome = await MeasureAsync(new LetterModel(), new MultipleChoiceRow { Context = "a", Choices = ["\"", "!!!!"], Answer = 1 }, new MultipleChoiceRow { Context = "a", Choices = ["!", "!!"], Answer = 0 });

        Assert.Equal(1, outcome.Result.GetProperty("accuracy").GetDouble());
        Assert.Equal(0.5, outcome.Result.GetProperty("accuracy_normalised").GetDouble()); // the second: half as much each
        var sums = outcome.Result.GetProperty("rows")[1].GetProperty("loglikelihoods").EnumerateArray().Select(v => v.GetDouble());
        Assert.Equal([LetterModel.Logprob('a', ' ') + LetterModel.Logprob(' ', '!'), LetterModel.Logprob('a', ' ') + LetterModel.Logprob(' ', '!')], sums);
        Assert.False(outcome.Metrics.TryGetProperty("rows", out _));
        Assert.Equal(2, outcome.Metrics.GetProperty("interval").GetArrayLength());
    }

    [Fact]
    public async Task Too_long_a_context_loses_its_beginning()
    {
        var model = new LetterModel { ContextLength = 6 };

        await MeasureAsync(model, new MultipleChoiceRow { Context = "abcdefgh", Choices = ["x", "yz"], Answer = 0 });

        Assert.Equal([("efgh x", 4), ("fgh yz", 3)], model.Runs);
    }

    [Fact]
    public async Task A_choice_longer_than_the_models_context_names_its_row()
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
            MeasureAsync(new LetterModel { ContextLength = 4 }, new MultipleChoiceRow { Context = "a", Choices = ["b", "cdef"], Answer = 0 }));

        Assert.Equal("rows[0].choices", refusal.Field);
        Assert.StartsWith("Row 1: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_models_answers_are_compared_in_pairs()
    {
        MultipleChoiceRow[] rows = [.. Enumerable.Range(0, 6).Select(i => new MultipleChoiceRow { Context = "a", Choices = ["!", "~"], Answer = i < 5 ? 0 : 1 })];
        var first = Stored("job_1", await MeasureAsync(new LetterModel(), rows));
        var second = Stored("job_2", (await MeasureAsync(new LetterModel(), rows)) with { Rows = [.. Enumerable.Range(0, 6).Select(i => new ComparedRow(i == 5 ? 1 : 0, 1))] });

        var view = EvaluationComparison.Of(first, second);

        Assert.Equal(("accuracy", 6, "mcnemar_exact"), (view.Measure, view.Rows, view.Test));
        Assert.Equal((5 / 6.0, 1 / 6.0), (view.FirstScore, view.SecondScore));
        Assert.Equal(-4 / 6.0, view.Difference, 1e-12);
        Assert.Equal(Statistics.McNemarExact(5, 1), view.PValue);
        Assert.True(view.Interval[0] <= view.Difference && view.Difference <= view.Interval[1]);
    }

    [Fact]
    public async Task Evaluations_of_different_data_are_not_compared()
    {
        var first = Stored("job_1", await MeasureAsync(new LetterModel(), new MultipleChoiceRow { Context = "a", Choices = ["b", "c"], Answer = 0 }));
        var second = Stored("job_2", await MeasureAsync(new LetterModel(), new MultipleChoiceRow { Context = "a", Choices = ["b", "c"], Answer = 1 }));

        Assert.Equal("second", Assert.Throws<LlmOsException>(() => EvaluationComparison.Of(first, second)).Field);
    }

    public void Dispose() => _folder.Dispose();

    private Task<EvaluationOutcome> MeasureAsync(LetterModel model, params MultipleChoiceRow[] rows) =>
        ChoiceMeasure.RunAsync(new ChoicePlan(rows), model, _folder.At(Guid.NewGuid().ToString("n")), (_, _) => { }, Cancel);

    private static StoredEvaluation Stored(string id, EvaluationOutcome outcome) => new()
    {
        Id = id,
        VersionId = 1,
        Model = "letters:1",
        Kind = outcome.Kind,
        Fingerprint = outcome.Fingerprint,
        Metrics = outcome.Metrics.GetRawText(),
        Rows = JsonSerializer.Serialize(outcome.Rows, LlmOsJson.Options),
        CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
