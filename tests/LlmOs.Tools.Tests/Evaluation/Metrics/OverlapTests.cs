using System.Text.Json;
using LlmOs.Tools.Evaluation.Metrics;

namespace LlmOs.Tools.Tests.Evaluation.Metrics;

/// <summary>ROUGE, error rates and labels against recorded scores, and by hand.</summary>
public class OverlapTests
{
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData("rouge1")]
    [InlineData("rouge2")]
    [InlineData("rougeL")]
    [InlineData("rougeLsum")]
    public async Task Rouge_equals_the_recorded_scores_with_and_without_stems(string metric)
    {
        foreach (var row in Scored.Vectors("rouge.json").GetProperty("rows").EnumerateArray())
        {
            var reply = await Scored.ByAsync(metric, [row.Text("prediction")], [[row.Text("target")]], new { use_stemmer = row.GetProperty("use_stemmer").GetBoolean() });

            var expected = row.GetProperty(metric);
            Assert.Equal(expected.Number("fmeasure"), reply.Scores[0]!.Value, Tolerance);
            Assert.Equal(expected.Number("precision"), reply.Details["precision"].GetDouble(), Tolerance);
            Assert.Equal(expected.Number("recall"), reply.Details["recall"].GetDouble(), Tolerance);
        }
    }

    [Fact]
    public void Stems_equal_the_recorded_ones()
    {
        foreach (var pair in Scored.Vectors("porter.json").GetProperty("pairs").EnumerateArray().Select(pair => pair.Texts()))
        {
            Assert.Equal(pair[1], PorterStemmer.Stem(pair[0].ToLowerInvariant()));
        }
    }

    [Theory]
    [InlineData("skies", "sky")]
    [InlineData("dies", "die")]
    [InlineData("spied", "spi")]
    [InlineData("agreed", "agre")]
    [InlineData("hopping", "hop")]
    [InlineData("relational", "relat")]
    [InlineData("traditionalli", "tradit")]
    [InlineData("geologi", "geolog")]
    [InlineData("adoption", "adopt")]
    [InlineData("controll", "control")]
    public void Stems_worked_by_hand(string word, string stem) => Assert.Equal(stem, PorterStemmer.Stem(word));

    [Fact]
    public async Task The_best_reference_counts_for_rouge_and_lines_matter_to_rougeLsum_alone()
    {
        var many = await Scored.ByAsync("rouge1", ["a b c"], [["x y z", "a b d", "a"]]);
        var whole = await Scored.ByAsync("rougeL", ["c d\na b"], [["a b\nc d"]]);
        var lines = await Scored.ByAsync("rougeLsum", ["c d\na b"], [["a b\nc d"]]);

        Assert.Equal(2 / 3.0, many.Score!.Value, 1e-9);
        Assert.Equal(0.5, whole.Score!.Value, 1e-9);
        Assert.Equal(1, lines.Score!.Value, 1e-9);
    }

    [Theory]
    [InlineData("wer", "word_edits", "words", "words")]
    [InlineData("cer", "char_edits", "chars", "characters")]
    public async Task Error_rates_equal_the_recorded_ones(string metric, string edits, string length, string detail)
    {
        var rows = Scored.Vectors("wer-cer.json").GetProperty("rows").EnumerateArray().ToList();

        var reply = await Scored.ByAsync(metric, [.. rows.Select(row => row.Text("hypothesis"))], [.. rows.Select(row => new[] { row.Text("reference") })]);

        var expected = rows.Select(row => row.GetProperty(metric) is { ValueKind: JsonValueKind.Number } rate ? rate.GetDouble() : (double?)null).ToList();
        Assert.Equal(expected.Count, reply.Scores.Count);
        Assert.All(expected.Zip(reply.Scores), pair => Assert.Equal(pair.First ?? -1, pair.Second ?? -1, Tolerance));
        var (allEdits, all) = (rows.Sum(row => row.Number(edits)), rows.Sum(row => row.Number(length)));
        Assert.Equal(allEdits / all, reply.Score!.Value, Tolerance);
        Assert.Equal((allEdits, all), (reply.Details["edits"].GetDouble(), reply.Details[detail].GetDouble()));
    }

    [Fact]
    public async Task An_error_rate_without_any_reference_text_is_not_defined()
    {
        var reply = await Scored.ByAsync("wer", ["a b", ""], [[""], [" "]]);

        Assert.Null(reply.Score);
        Assert.All(reply.Scores, score => Assert.Null(score));
        Assert.Equal(2, reply.Details["edits"].GetInt32());
    }

    [Fact]
    public async Task Exact_match_is_of_the_text_as_it_is_or_normalised()
    {
        string[] predictions = ["The cat.", "cat", "x"];
        string[][] references = [["cat"], ["dog", "cat"], ["y"]];

        var plain = await Scored.ByAsync("exact_match", predictions, references);
        var normalized = await Scored.ByAsync("exact_match", predictions, references, new { normalize = true });

        Assert.Equal([0, 1, 0], plain.Scores.Select(score => score!.Value));
        Assert.Equal(1 / 3.0, plain.Score!.Value, 1e-12);
        Assert.Equal(2 / 3.0, normalized.Score!.Value, 1e-12);
    }

    [Fact]
    public async Task Token_f1_counts_shared_words_with_the_best_reference()
    {
        // Without articles "cat sat" and "cat sat down": 2 of 2 and 2 of 3. A word that comes twice is shared once.
        var reply = await Scored.ByAsync("token_f1", ["The cat sat", "a a a", "red red"], [["x", "a cat sat down!"], ["the"], ["red"]]);

        Assert.All(reply.Scores.Zip([0.8, 1, 2 / 3.0]), pair => Assert.Equal(pair.Second, pair.First!.Value, 1e-12));
        Assert.Equal((0.8 + 1 + (2 / 3.0)) / 3, reply.Score!.Value, 1e-12);
    }

    [Fact]
    public async Task Accuracy_and_macro_f1_equal_scikit_learns()
    {
        var recorded = Scored.Vectors("stats.json").GetProperty("classification");
        string[][] labels = [.. recorded.GetProperty("y_true").EnumerateArray().Select(label => new[] { label.ToString() })];
        foreach (var part in new[] { recorded.GetProperty("predictions"), recorded.GetProperty("class_3_never_predicted") })
        {
            string[] predicted = [.. part.GetProperty("y_pred").EnumerateArray().Select(label => label.ToString())];

            var accuracy = await Scored.ByAsync("accuracy", predicted, labels);
            var macro = await Scored.ByAsync("macro_f1", predicted, labels);

            Assert.Equal(part.Number("accuracy"), accuracy.Score!.Value, Tolerance);
            Assert.Equal(part.Number("macro_f1"), macro.Score!.Value, Tolerance);
            foreach (var label in part.GetProperty("per_class").EnumerateObject())
            {
                var own = macro.Details["labels"].GetProperty(label.Name);
                Assert.Equal(label.Value.Number("precision"), own.Number("precision"), Tolerance);
                Assert.Equal(label.Value.Number("recall"), own.Number("recall"), Tolerance);
                Assert.Equal(label.Value.Number("support"), own.Number("support"));
            }
        }
    }

    [Fact]
    public async Task Macro_f1_counts_a_label_that_is_only_predicted()
    {
        // a: precision 1/1, recall 1/2, F1 2/3; b, only predicted: 0.
        var reply = await Scored.ByAsync("macro_f1", ["a", "b"], [["a"], ["a"]]);

        Assert.Equal(1 / 3.0, reply.Score!.Value, 1e-12);
        Assert.Equal([1, 0], reply.Scores.Select(score => score!.Value));
    }
}
