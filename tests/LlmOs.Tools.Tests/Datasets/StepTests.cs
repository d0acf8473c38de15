using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Preparation;
using LlmOs.Tools.Datasets.Preparation.Steps;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>What each step makes of texts, and what it reports.</summary>
public sealed class StepTests : IDisposable
{
    private static readonly RowSchema Schema = new([new("text", ColumnType.Text), new("n", ColumnType.Integer)]);

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("""{"step":"normalize"}""", "  a\u00A0 b\t\r\n\r\n\r\n\r\nc\u200B\u0007  ", "a b\n\nc")]
    [InlineData("""{"step":"normalize"}""", "e\u0301", "\u00E9")]
    [InlineData("""{"step":"normalize"}""", "\uFB01", "\uFB01")]
    [InlineData("""{"step":"normalize","form":"nfkc"}""", "\uFB01\u3000x", "fi x")]
    [InlineData("""{"step":"lower_case"}""", "ÄB Ç", "äb ç")]
    [InlineData("""{"step":"markup"}""", "no markup", "no markup")]
    [InlineData("""{"step":"markup"}""", "<nav>Home</nav><h1>Title</h1><p>One &amp; <b>two</b><script>x()</script><br>three</p><footer>Imprint</footer>", "Title\nOne & two\nthree")]
    [InlineData("""{"step":"markup","boilerplate":"keep"}""", "<nav>Home</nav><p>One</p>", "Home\nOne")]
    [InlineData("""{"step":"stop_words","language":"en"}""", "The cat isn't on the mat.", "cat mat.")]
    [InlineData("""{"step":"stop_words","language":"de"}""", "Der Hund und die Katze", "Hund Katze")]
    [InlineData("""{"step":"segment"}""", "今天天气很好，我们去公园吧。", "今天 天气 很 好 ， 我们 去 公园 吧 。")]
    [InlineData("""{"step":"segment"}""", "研究生命的起源", "研究 生命 的 起源")]
    [InlineData("""{"step":"segment"}""", "It isn't well-known (yet), 3.5 times.\nOK", "It isn't well-known ( yet ) , 3.5 times .\nOK")]
    [InlineData("""{"step":"segment","by":"sentences"}""", "Dr. Smith came. \"Why?\" he asked! We left at 5.30 p.m. today. 他来了。我走了！", "Dr. Smith came.\n\"Why?\" he asked!\nWe left at 5.30 p.m. today.\n他来了。\n我走了！")]
    [InlineData("""{"step":"stem"}""", "Running ponies, caresses; naïve x2y", "run poni, caress; naïve x2y")]
    [InlineData("""{"step":"pii"}""", "Mail ada@example.org or call +44 20 7946 0958.", "Mail [EMAIL] or call [PHONE].")]
    [InlineData("""{"step":"pii"}""", "Card 4111 1111 1111 1111, not 4111 1111 1111 1112", "Card [CARD], not 4111 1111 1111 1112")]
    [InlineData("""{"step":"pii","kinds":["iban","ip"]}""", "GB82 WEST 1234 5698 7654 32 from 192.168.0.1, a@b.org", "[IBAN] from [IP], a@b.org")]
    [InlineData("""{"step":"pii"}""", "AKIAIOSFODNN7EXAMPLE on 2026-11-30", "[SECRET] on 2026-11-30")]
    [InlineData("""{"step":"pii","action":"pseudonym"}""", "a@b.org, c@d.org, a@b.org", "[EMAIL_1], [EMAIL_2], [EMAIL_1]")]
    public void A_text_becomes(string step, string text, string after)
    {
        var (rows, report) = Run([step], text);

        Assert.Equal(after, Assert.Single(rows).Values[0]);
        Assert.Equal((1, 1, text == after ? 0 : 1, 0), (report.RowsIn, report.RowsOut, report.Changed, report.Dropped));
    }

    [Theory]
    [InlineData("""{"step":"length","min":3,"max":4}""", "too_short,,,too_long", "ab", "abc", "abcd", "abcde")]
    [InlineData("""{"step":"length","unit":"words","min":2}""", "too_short,", "one", "one two")]
    [InlineData("""{"step":"exact_duplicates"}""", ",,duplicate,", "a", "b", "a", "A")]
    [InlineData("""{"step":"pii","action":"drop"}""", ",email", "nothing", "x@y.org")]
    [InlineData("""{"step":"language","keep":["en","zh"]}""", ",de,,unknown", "This is an English sentence about the weather.", "Dies ist ein deutscher Satz über das Wetter.", "今天天气很好，我们去公园吧。", "12345")]
    [InlineData("""{"step":"quality","rules":"c4"}""", "lorem_ipsum,curly_bracket,too_few_sentences", "Lorem ipsum dolor.", "function() { }", "Only one sentence here.")]
    [InlineData("""{"step":"quality","rules":"gopher"}""", "word_count", "Far too short.")]
    public void Rows_are_dropped_for_a_reason(string step, string reasons, params string[] texts)
    {
        var (rows, report) = Run([step], texts);

        var expected = reasons.Split(',');
        Assert.Equal(texts.Where((_, at) => expected[at].Length == 0), rows.Select(r => (string)r.Values[0]!));
        Assert.Equal(expected.Where(r => r.Length > 0).GroupBy(r => r).ToDictionary(g => g.Key, g => (long)g.Count()), report.Reasons);
        Assert.Equal(report.RowsIn - report.Dropped, report.RowsOut);
        Assert.Equal(report.Dropped, report.Examples.Count(e => e.After is null));
    }

    [Fact]
    public void Gophers_rules_have_their_names()
    {
        var sentence = "The people of the town have walked to the river and that was the end of it. ";
        const string Good = "A river runs through the old part of the city, and on summer evenings people sit along its banks to talk. "
            + "Children throw stones from the bridge. Somebody always has a guitar. The market opens early, with bread, cheese and flowers, "
            + "while fishermen return before noon. Winter is different: fog covers the towers, shops close at dusk, and nobody walks far. "
            + "Still, when snow falls, families go out to the hills with sledges and come home late, cold, tired, content.";

        Assert.Null(GopherRules.Fault(Good));
        Assert.Equal("mean_word_length", GopherRules.Fault(string.Join(' ', Enumerable.Repeat("a", 60))));
        Assert.Equal("alphabetic_words", GopherRules.Fault(string.Join(' ', Enumerable.Range(0, 60).Select(i => $"{1000 + i}"))));
        Assert.Equal("stop_words", GopherRules.Fault(string.Join(' ', Enumerable.Range(0, 60).Select(i => $"word{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}"))));
        Assert.Equal("symbol_to_word_ratio", GopherRules.Fault(string.Join(' ', Enumerable.Range(0, 60).Select(i => $"#word{(char)('a' + (i % 26))}"))));
        Assert.Equal("duplicate_lines", GopherRules.Fault(string.Join('\n', Enumerable.Repeat(sentence.Trim(), 8))));
        Assert.Equal("bullet_lines", GopherRules.Fault(string.Join('\n', Good.Split(". ", StringSplitOptions.RemoveEmptyEntries).Select(l => "- " + l))));
    }

    [Fact]
    public void C4_keeps_whole_sentences_and_drops_other_lines()
    {
        var text = "Menu\nThis is the first sentence.\nHere comes a second one! And is this a third?\nPlease enable javascript to go on.\nA fourth one stands here.\nWe use cookies to serve you.\nThe fifth is the last.[1]\nend without a mark";

        var (left, fault) = C4Rules.Apply(text);

        Assert.Null(fault);
        Assert.Equal("This is the first sentence.\nHere comes a second one! And is this a third?\nA fourth one stands here.\nThe fifth is the last.", left);
    }

    [Fact]
    public void There_are_stop_words_of_at_least_twenty_languages()
    {
        Assert.True(StopWordsStep.Languages.Count() >= 20);
        Assert.Contains("zh", StopWordsStep.Languages);
    }

    [Fact]
    public void Near_duplicates_go_and_the_first_stays()
    {
        const string Text = "The quick brown fox jumps over the lazy dog while the cat looks on from the garden wall and thinks of supper.";

        var (rows, report) = Run(["""{"step":"near_duplicates","threshold":0.8}"""], Text, "Something else entirely stands in this row.", Text.Replace("supper", "dinner", StringComparison.Ordinal), Text.ToUpperInvariant());

        Assert.Equal([1L, 2L], rows.Select(r => r.Number));
        Assert.Equal((2, 2), (report.Dropped, report.Reasons["near_duplicate"]));
    }

    [Fact]
    public void A_signature_says_the_share_of_pieces_within_a_few_percent()
    {
        var chance = new Random(17);
        var faults = new List<double>();
        for (var round = 0; round < 300; round++)
        {
            var a = Enumerable.Range(0, 400).Select(_ => (ulong)chance.NextInt64()).ToHashSet();
            var share = chance.NextDouble();
            var b = a.Select(piece => chance.NextDouble() < share ? piece : (ulong)chance.NextInt64()).ToHashSet();
            ulong[] left = [.. a.Order()], right = [.. b.Order()];
            faults.Add(NearIndex.Estimate(NearIndex.Sign(left), NearIndex.Sign(right)) - Shingles.Jaccard(left, right));
        }

        Assert.InRange(faults.Average(), -0.01, 0.01);
        Assert.InRange(Math.Sqrt(faults.Average(f => f * f)), 0, 0.045);
    }

    [Fact]
    public void Planted_near_duplicates_are_found_and_nothing_else()
    {
        var chance = new Random(170);
        string[] words = [.. Enumerable.Range(0, 3_000).Select(i => $"w{i * 7919 % 3001}x")];
        List<(string Text, bool IsCopy)> rows = [];
        for (var i = 0; i < 4_000; i++)
        {
            var text = Enumerable.Range(0, 40).Select(_ => words[chance.Next(words.Length)]).ToArray();
            rows.Add((string.Join(' ', text), false));
            if (i % 4 == 0)
            {
                text[chance.Next(40)] = words[chance.Next(words.Length)];
                rows.Add((string.Join(' ', text), true));
            }
        }

        var (left, _) = Run(["""{"step":"near_duplicates"}"""], [.. rows.Select(r => r.Text)]);

        var kept = left.Select(r => r.Number - 1).ToHashSet();
        var dropped = Enumerable.Range(0, rows.Count).Where(i => !kept.Contains(i)).ToList();
        Assert.All(dropped, i => Assert.True(rows[i].IsCopy));
        Assert.InRange(dropped.Count, 980, 1_000); // some copies share less than 0.8
    }

    [Fact]
    public void A_split_has_its_shares_keeps_near_duplicates_together_and_moves_nobody_when_rows_are_added()
    {
        string[] texts = [.. Enumerable.Range(0, 3_000).SelectMany(i => new[] { $"Row {i} tells of the number {i * i} and of {i * 31} things that were seen in the year {1000 + i}.", $"Row {i} tells of the number {i * i} and of {i * 31} things that were seen in the year {1000 + i}!" })];
        const string Step = """{"step":"split","train":0.8,"validation":0.1,"test":0.1}""";

        var (all, report) = Run([Step], texts);
        var (part, _) = Run([Step], texts[..2_000]);

        Assert.Equal(6_000, report.RowsOut);
        Assert.Equal(all.Take(2_000).Select(r => r.Split), part.Select(r => r.Split));
        Assert.All(Enumerable.Range(0, 3_000), i => Assert.Equal(all[2 * i].Split, all[(2 * i) + 1].Split));
        Assert.InRange(all.Count(r => r.Split == "train") / 6_000.0, 0.77, 0.83);
        Assert.InRange(all.Count(r => r.Split == "test") / 6_000.0, 0.08, 0.12);
    }

    [Theory]
    [InlineData("""{"step":"no_such_step"}""", "steps[0].step")]
    [InlineData("""{"step":"normalize","speed":2}""", "steps[0].speed")]
    [InlineData("""{"step":"normalize","column":"none"}""", "steps[0].column")]
    [InlineData("""{"step":"normalize","column":"n"}""", "steps[0].column")]
    [InlineData("""{"step":"near_duplicates","threshold":1.5}""", "steps[0].threshold")]
    [InlineData("""{"step":"stop_words","language":"xx"}""", "steps[0].language")]
    [InlineData("""{"step":"quality","rules":"mine"}""", "steps[0].rules")]
    [InlineData("""{"step":"split","train":0.9,"test":0.2}""", "steps[0].train")]
    [InlineData("""{"step":"pii","kinds":["shoe_size"]}""", "steps[0].kinds")]
    [InlineData("""{"step":"language"}""", "steps[0].keep")]
    [InlineData("""{"step":"language","keep":["klingon"]}""", "steps[0].keep")]
    [InlineData("""{"step":"stem","language":"de"}""", "steps[0].language")]
    [InlineData("""{"step":"length","min":5,"max":4}""", "steps[0].max")]
    [InlineData("""{"column":"text"}""", "steps[0].step")]
    [InlineData("[]", "steps[0]")]
    public void What_a_step_may_not_have_is_refused_by_field(string step, string field)
    {
        var refusal = Assert.Throws<LlmOsException>(() => Run([step], "x"));

        Assert.Equal((ErrorCode.InvalidRequest, field), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void A_row_without_a_text_goes_through_untouched()
    {
        using var run = new PreparationRun([Parse("""{"step":"length","min":5}""")], Schema, new StepPlace(_temp.Path));

        Assert.NotNull(run.Take(new Row(1, "train", [null, 1L])));
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement.Clone();

    private (List<PreparedRow> Rows, PreparationStepReport Last) Run(string[] steps, params string[] texts)
    {
        using var run = new PreparationRun([.. steps.Select(Parse)], Schema, new StepPlace(_temp.Path));
        List<PreparedRow> left = [];
        foreach (var (at, text) in texts.Index())
        {
            if (run.Take(new Row(at + 1, "train", [text, (long)at])) is { } row)
            {
                left.Add(row);
            }
        }

        return (left, run.Reports()[^1]);
    }
}
