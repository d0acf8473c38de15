using System.Text.Json;
using LlmOs.Tools.Evaluation.Metrics;

namespace LlmOs.Tools.Tests.Evaluation.Metrics;

/// <summary>BLEU, chrF and TER against scores that sacreBLEU 2.6 gave.</summary>
public class SacreBleuTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public async Task Scores_of_corpora_equal_sacrebleus_with_every_option_that_was_recorded()
    {
        var recorded = Scored.Vectors("sacrebleu-corpus.json");
        var groups = recorded.GetProperty("groups").EnumerateArray().ToDictionary(group => group.Text("name"));
        var faults = new List<string>();
        var compared = 0;
        foreach (var row in recorded.GetProperty("corpus").EnumerateArray())
        {
            var group = groups[row.Text("group")];
            var streams = group.GetProperty("refs").EnumerateArray().Select(refs => refs.Texts()).ToList();
            var predictions = group.GetProperty("hyps").Texts();
            var options = row.GetProperty("config").EnumerateObject().ToDictionary(option => option.Name == "max_ngram_order" ? "max_order" : option.Name, option => option.Value);

            var reply = await Scored.ByAsync(row.Text("metric"), predictions, [.. predictions.Select((_, i) => streams.Select(stream => stream[i]).ToArray())], options);

            var where = $"{row.Text("metric")} {row.GetProperty("config")} of {row.Text("group")}";
            Compare(where, row.Number("score"), reply.Score!.Value);
            var (signature, own) = (row.Text("signature"), reply.Signature ?? "");
            if (signature.Split("|version:")[0] != own.Split("|version:")[0])
            {
                faults.Add($"{where}: {own} instead of {signature}");
            }

            foreach (var name in new[] { "bp", "sys_len", "ref_len", "counts", "totals", "precisions" }.Where(name => row.TryGetProperty(name, out _)))
            {
                var (expected, actual) = (Numbers(row.GetProperty(name)), Numbers(reply.Details[name]));
                Assert.Equal(expected.Count, actual.Count);
                expected.Zip(actual).ToList().ForEach(pair => Compare($"{where} {name}", pair.First, pair.Second));
            }

            compared++;
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(compared > 100, $"{compared} compared");

        void Compare(string where, double expected, double actual)
        {
            if (Math.Abs(expected - actual) > Tolerance)
            {
                faults.Add($"{where}: {actual} instead of {expected}");
            }
        }
    }

    [Fact]
    public async Task Scores_of_single_sentences_equal_sacrebleus()
    {
        var rows = Scored.Vectors("sacrebleu-sentence.json").GetProperty("rows").EnumerateArray().ToList();
        var predictions = rows.Select(row => row.Text("hyp")).ToArray();
        var references = rows.Select(row => row.GetProperty("refs").Texts()).ToArray();
        (string Recorded, string Metric, object? Options)[] kinds =
        [
            ("bleu_effective_order", "sentence_bleu", null), ("bleu_effective_order", "bleu", null), ("bleu", "sentence_bleu", new { effective_order = false }),
            ("chrf", "chrf", null), ("chrfpp", "chrf++", null), ("ter", "ter", null),
        ];

        foreach (var (recorded, metric, options) in kinds)
        {
            var reply = await Scored.ByAsync(metric, predictions, references, options);

            var faults = rows.Select((row, i) => (Expected: row.Number(recorded), Actual: reply.Scores[i]!.Value, i)).Where(pair => Math.Abs(pair.Expected - pair.Actual) > Tolerance);
            Assert.Equal("", string.Join('\n', faults.Select(fault => $"{metric} row {fault.i}: {fault.Actual} instead of {fault.Expected}")));
        }
    }

    [Theory]
    [InlineData("13a")]
    [InlineData("intl")]
    [InlineData("zh")]
    [InlineData("char")]
    public void Tokens_equal_sacrebleus(string tokenizer)
    {
        foreach (var row in Scored.Vectors("sacrebleu-tokenize.json").GetProperty("rows").EnumerateArray())
        {
            Assert.Equal(row.Text(tokenizer), BleuTokenizers.All[tokenizer].Apply(row.Text("text")));
        }
    }

    [Fact]
    public async Task Bleu_of_a_corpus_worked_by_hand()
    {
        // "the cat sat on" against "the cat sat on the mat": 4 of 4, 3 of 3, 2 of 2, 1 of 1; 4 words for 6.
        var reply = await Scored.ByAsync("bleu", ["the cat sat on"], [["the cat sat on the mat"]]);

        Assert.Equal(100 * Math.Exp(1 - (6 / 4.0)), reply.Score!.Value, 1e-9);
        Assert.Equal("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0", reply.Signature);
        Assert.Equal([4, 3, 2, 1], Numbers(reply.Details["counts"]));
        Assert.Equal((4, 6), (reply.Details["sys_len"].GetInt32(), reply.Details["ref_len"].GetInt32()));
    }

    [Fact]
    public async Task Bleu_smooths_what_is_zero_and_takes_the_nearest_of_many_references()
    {
        // Words 2 of 3, pairs 0 of 2 and triples 0 of 1: halved, quartered; no group of four, so three orders count.
        var exp = await Scored.ByAsync("sentence_bleu", ["a x b"], [["a b c d e", "b a c"]]);
        var floor = await Scored.ByAsync("bleu", ["a x b"], [["b a c"]], new { smooth_method = "floor", smooth_value = 0.5, max_order = 2 });

        Assert.Equal(100 * Math.Pow(2 / 3.0 * (1 / 4.0) * (1 / 4.0), 1 / 3.0), exp.Score!.Value, 1e-9);
        Assert.Equal(100 * Math.Sqrt(2 / 3.0 * (0.5 / 2)), floor.Score!.Value, 1e-9);
        Assert.Contains("smooth:floor[0.50]", floor.Signature, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shifted_phrase_costs_one_edit_in_ter()
    {
        var reply = await Scored.ByAsync("ter", ["c d a b e", "a"], [["a b c d e"], ["a"]]);

        Assert.Equal([20, 0], reply.Scores.Select(score => score!.Value));
        Assert.Equal(100 / 6.0, reply.Score!.Value, 1e-9);
    }

    [Fact]
    public async Task Rows_with_different_numbers_of_references_are_scored_and_say_so()
    {
        var reply = await Scored.ByAsync("bleu", ["a b c d", "e f g h"], [["a b c d"], ["x", "e f g h"]]);

        Assert.Equal(100, reply.Score!.Value, 1e-9);
        Assert.StartsWith("nrefs:var|", reply.Signature, StringComparison.Ordinal);
    }

    private static List<double> Numbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(item => item.GetDouble())] : [value.GetDouble()];
}
