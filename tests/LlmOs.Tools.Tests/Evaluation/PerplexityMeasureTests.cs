using System.Text;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Evaluation;

namespace LlmOs.Tools.Tests.Evaluation;

public sealed class PerplexityMeasureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10, 4, 4, false, "0-4:1 4-8:5 8-10:9")] // the first of each is context only
    [InlineData(9, 4, 4, false, "0-4:1 4-8:5")] // a window of one token scores nothing
    [InlineData(10, 4, 4, true, "0-4:0 4-8:4 8-10:8")]
    [InlineData(10, 4, 2, false, "0-4:1 2-6:4 4-8:6 6-10:8")] // each token once, up to the window that reaches the end
    [InlineData(11, 4, 3, false, "0-4:1 3-7:4 6-10:7 9-11:10")]
    [InlineData(3, 8, 8, false, "0-3:1")]
    [InlineData(1, 4, 4, false, "")]
    public void Windows_score_each_token_at_most_once(int tokens, int window, int stride, bool begin, string expected) =>
        Assert.Equal(expected, string.Join(' ', PerplexityMeasure.Windows(tokens, window, stride, begin).Select(w => $"{w.Start}-{w.End}:{w.From}")));

    [Fact]
    public async Task The_figures_are_those_of_the_scored_tokens()
    {
        var outcome = await MeasureAsync(new LetterModel(), "abcéa", window: 3);

        // abc scores b and c; éa scores a.
        var nll = 1 / 8.0 + (1 / 8.0) + ((0xe9 - 'a') / 8.0);
        Assert.Equal((3, 3), (outcome.Result.GetProperty("scored_tokens").GetInt32(), outcome.Result.GetProperty("scored_bytes").GetInt32()));
        Assert.Equal(nll, outcome.Result.GetProperty("nll_sum").GetDouble(), 1e-12);
        Assert.Equal(Math.Exp(nll / 3), outcome.Result.GetProperty("perplexity").GetDouble(), 1e-9);
        Assert.Equal(nll / Math.Log(2) / 3, outcome.Result.GetProperty("bits_per_byte").GetDouble(), 1e-12);
        var interval = outcome.Result.GetProperty("interval");
        Assert.InRange(outcome.Result.GetProperty("perplexity").GetDouble(), interval[0].GetDouble(), interval[1].GetDouble());
        Assert.Equal([new ComparedRow(0.25, 2), new ComparedRow((0xe9 - 'a') / 8.0, 1)], outcome.Rows);
    }

    [Fact]
    public async Task A_begin_token_lets_the_first_token_of_each_window_be_scored()
    {
        var model = new LetterModel();

        var outcome = await MeasureAsync(model, "abcd", window: 2, begin: true);

        Assert.Equal([("^ab", 1), ("^cd", 1)], model.Runs);
        Assert.Equal(4, outcome.Result.GetProperty("scored_tokens").GetInt32());
    }

    [Fact]
    public async Task Stopped_anywhere_it_goes_on_with_the_next_window_and_finds_the_same()
    {
        var text = string.Concat(Enumerable.Range(0, 40).Select(i => (char)('a' + (i * 7 % 26))));
        var whole = await MeasureAsync(new LetterModel(), text, window: 4, folder: "whole");

        await Assert.ThrowsAsync<IOException>(() => MeasureAsync(new LetterModel { FailAt = 6 }, text, window: 4));
        await File.AppendAllTextAsync(_folder.At("job", "windows.jsonl"), "{\"nll\":1.2", Cancel); // cut off within a row
        var rest = new LetterModel();
        var resumed = await MeasureAsync(rest, text, window: 4);

        Assert.Equal(4, rest.Runs.Count);
        Assert.Equal(whole.Result.GetRawText(), resumed.Result.GetRawText());
    }

    /// <summary>A mark at the start, or another encoding, is how a text is written and no part of it.</summary>
    [Fact]
    public async Task However_a_text_is_written_its_figures_are_the_same()
    {
        var plain = await MeasureAsync(new LetterModel(), "abcdéfgh", window: 4);
        foreach (var (name, bytes, encoding) in new (string, byte[], string?)[]
        {
            ("mark", [.. Encoding.UTF8.Preamble, .. "abcdéfgh"u8], null),
            ("utf-16", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("abcdéfgh")], null),
            ("windows", [.. "abcd"u8, 0xE9, .. "fgh"u8], "windows-1252"),
        })
        {
            var path = _folder.At(name);
            await File.WriteAllBytesAsync(path, bytes, Cancel);

            var other = await PerplexityMeasure.RunAsync(new PerplexityPlan("file:text.txt", 4, null, 1000, false, encoding), path, new LetterModel(), _folder.At(name + "-job"), (_, _) => { }, Cancel);

            Assert.Equal(plain.Result.GetRawText(), other.Result.GetRawText());
            Assert.Equal(plain.Fingerprint, other.Fingerprint);
        }
    }

    [Fact]
    public async Task Rows_of_other_settings_are_not_taken_for_ones_own()
    {
        await MeasureAsync(new LetterModel(), "abcdefgh", window: 4);
        var other = new LetterModel();

        await MeasureAsync(other, "abcdefgh", window: 2);

        Assert.Equal(4, other.Runs.Count);
    }

    [Theory]
    [InlineData("window", 17, false)]
    [InlineData("window", 16, true)] // the begin token takes one place
    public async Task A_window_that_the_model_cannot_see_is_refused(string field, int window, bool begin)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => MeasureAsync(new LetterModel(), "abcdefgh", window, begin));

        Assert.Equal(field, refusal.Field);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<EvaluationOutcome> MeasureAsync(LetterModel model, string text, int window, bool begin = false, string folder = "job")
    {
        var path = _folder.At("text.txt");
        await File.WriteAllTextAsync(path, text, Cancel);
        return await PerplexityMeasure.RunAsync(new PerplexityPlan("file:text.txt", window, null, 1000, begin), path, model, _folder.At(folder), (_, _) => { }, Cancel);
    }
}
