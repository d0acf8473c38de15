using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Evaluation.Metrics;

namespace LlmOs.Tools.Tests.Evaluation.Metrics;

/// <summary>What every metric has in common: names, options, shapes, bounds.</summary>
public class MetricRequestTests
{
    public static TheoryData<string> Names => [.. MetricRegistry.All.Select(metric => metric.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_perfect_prediction_has_the_best_score(string name)
    {
        var metric = MetricRegistry.Find(name);
        string[] texts = ["the quick brown fox jumps", "over the lazy dog again"];

        var reply = await Scored.ByAsync(name, texts, [.. texts.Select(text => new[] { text })]);

        Assert.Equal(metric.HigherIsBetter ? metric.Scale : 0, reply.Score!.Value, 1e-9);
        Assert.All(reply.Scores, score => Assert.Equal(metric.HigherIsBetter ? metric.Scale : 0, score!.Value, 1e-9));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Empty_texts_and_texts_of_all_scripts_are_scored(string name)
    {
        string[] predictions = ["", "漢字 👩‍🚀 naïve", "\u001c\u0085", "x"];

        var reply = await Scored.ByAsync(name, predictions, [["a b"], ["漢字 👩‍🚀 naïve"], [""], ["\n"]]);

        Assert.Equal(4, reply.Scores.Count);
        Assert.All(reply.Scores, score => Assert.True(score is null || double.IsFinite(score.Value)));
        Assert.True(reply.Score is null || double.IsFinite(reply.Score.Value));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_option_that_a_metric_does_not_have_is_refused_by_its_name(string name)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync(name, ["a"], [["a"]], new { colour = "red" }));

        Assert.Equal(("options.colour", ErrorCode.InvalidRequest), (refusal.Field, refusal.Code));
        Assert.Contains($"'{name}' has no", refusal.Message, StringComparison.Ordinal);
        Assert.All(MetricRun.Describe(MetricRegistry.Find(name)).Options, option => Assert.Contains(option.Name, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_metric_that_is_not_there_is_refused_with_those_that_are()
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync("meteor", ["a"], [["a"]]));

        Assert.Equal(ErrorCode.NotFound, refusal.Code);
        Assert.All(MetricRegistry.All, metric => Assert.Contains(metric.Name, refusal.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bleu", "tokenize", "\"mecab\"")]
    [InlineData("bleu", "tokenize", "\"ja-mecab\"")]
    [InlineData("bleu", "tokenize", "13")]
    [InlineData("bleu", "smooth_method", "\"linear\"")]
    [InlineData("bleu", "smooth_value", "-1")]
    [InlineData("bleu", "lowercase", "\"yes\"")]
    [InlineData("bleu", "max_order", "0")]
    [InlineData("chrf", "beta", "1.5")]
    [InlineData("chrf", "char_order", "0")]
    [InlineData("rouge1", "use_stemmer", "1")]
    public async Task A_value_that_an_option_does_not_take_is_refused_by_the_option(string metric, string option, string json)
    {
        var options = new Dictionary<string, JsonElement> { [option] = JsonSerializer.Deserialize<JsonElement>(json) };

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync(metric, ["a"], [["a"]], options));

        Assert.Equal($"options.{option}", refusal.Field);
    }

    [Fact]
    public async Task Shapes_that_do_not_fit_are_refused_by_their_field()
    {
        var rows = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync("bleu", ["a", "b"], [["a"]]));
        var none = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync("bleu", ["a", "b"], [["a"], []]));
        var many = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync("accuracy", ["a", "b"], [["a"], ["b", "c"]]));

        Assert.Equal(["references", "references[1]", "references[1]"], new[] { rows, none, many }.Select(refusal => refusal.Field));
    }

    [Fact]
    public void Work_without_end_is_refused_by_the_row_and_ends_when_nobody_waits()
    {
        var rows = Enumerable.Repeat(new MetricRow(new string('x', 1000), [new string('y', 1000)]), 3).ToList();
        var score = MetricRegistry.Find("cer").Prepare(new MetricOptions(new Dictionary<string, JsonElement>()));

        var refusal = Assert.Throws<LlmOsException>(() => score(rows, new MetricWork(CancellationToken.None, cells: 2_500_000)));

        Assert.Equal(("predictions[2]", ErrorCode.TooLarge), (refusal.Field, refusal.Code));
        Assert.Throws<OperationCanceledException>(() => score(rows, new MetricWork(new CancellationToken(canceled: true))));
    }

    [Fact]
    public async Task A_long_text_with_references_by_the_hundred_thousand_is_refused_before_it_is_begun()
    {
        string[][] references = [[.. Enumerable.Repeat("", 100_000)]];

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => Scored.ByAsync("chrf", [new string('x', 60_000)], references));

        Assert.Equal(("predictions[0]", ErrorCode.TooLarge), (refusal.Field, refusal.Code));
    }

    [Fact]
    public void Each_metric_says_what_it_is_and_its_options_have_defaults()
    {
        var views = MetricRegistry.All.Select(MetricRun.Describe).ToList();

        Assert.Equal(views.Count, views.Select(view => view.Name).Distinct().Count());
        Assert.All(views, view => Assert.EndsWith(".", view.Description, StringComparison.Ordinal));
        Assert.Equal(
            ["tokenize", "smooth_method", "smooth_value", "lowercase", "max_order", "effective_order", "force"], views.Single(view => view.Name == "bleu").Options.Select(option => option.Name));
        Assert.Equal(2, views.Single(view => view.Name == "chrf++").Options.Single(option => option.Name == "word_order").Default.GetInt32());
    }
}
