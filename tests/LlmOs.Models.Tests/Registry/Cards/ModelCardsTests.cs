using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry.Cards;
using LlmOs.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LlmOs.Models.Tests.Registry.Cards;

public sealed class ModelCardsTests
{
    private const string Whole = """
        ---
        license: apache-2.0
        language:
        - en
        - de
        datasets: [wikipedia, "books"]
        metrics:
        - perplexity
        base_model: org/base
        tags: [story]
        pipeline_tag: text-generation
        model-index:
        - name: x
          results:
          - task: {type: text-generation}
        ---
        # A model

        | a | b |
        |---|---|
        | 1 | 2 |

        ## Limitations

        It knows *fairy tales* only. See [the paper](https://example.org/p "P").
        """;

    [Fact]
    public async Task A_whole_card_states_its_facts_and_lacks_nothing()
    {
        var card = await ReadAsync("m", Whole, "model");

        Assert.Equal("apache-2.0", card.Facts.License);
        Assert.Equal(["en", "de"], card.Facts.Languages);
        Assert.Equal(["wikipedia", "books"], card.Facts.Datasets);
        Assert.Equal(["perplexity"], card.Facts.Metrics);
        Assert.Equal(["org/base"], card.Facts.BaseModels);
        Assert.Equal("text-generation", card.Facts.Task);
        Assert.Empty(card.Missing);
        Assert.Empty(card.Problems);
        Assert.Contains("<table>", card.Html, StringComparison.Ordinal);
        Assert.Contains("<em>fairy tales</em>", card.Html, StringComparison.Ordinal);
        Assert.Contains("href=\"https://example.org/p\"", card.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("license: apache", card.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_tells_little_says_what_is_missing()
    {
        Assert.Equal(["license", "languages", "data", "metrics", "limits"], (await ReadAsync("m", "# Only a title\n", "model")).Missing);
        Assert.Equal(["license", "languages", "metrics"], (await ReadAsync("m", "Training data\n===\nBooks.\n\n## Bias and risks\nSome.\n", "model")).Missing);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>", "<script")]
    [InlineData("<img src=x onerror=alert(1)>", "<img")]
    [InlineData("[x](javascript:alert(1))", "javascript:")]
    [InlineData("[x](JaVaScRiPt:alert(1))", "script:")]
    [InlineData("[x](java\tscript:alert(1))", "href=\"java")]
    [InlineData("[x](&#106;avascript:alert(1))", "javascript:")]
    [InlineData("[x](data:text/html;base64,PHN2Zz4=)", "data:")]
    [InlineData("[x](vbscript:x)", "vbscript:")]
    [InlineData("<javascript:alert(1)>", "href=\"javascript")]
    [InlineData("[x]: javascript:alert(1)\n\n[x]", "href=\"javascript")]
    [InlineData("![pixel](https://tracker.test/p.png)", "<img")]
    [InlineData("[x](//evil.test/p)", "href=\"//")]
    [InlineData("[x](\\\\\\\\evil.test)", "href=\"\\\\")]
    [InlineData("# x {onclick=alert(1)}", "<h1 onclick")]
    [InlineData("[x](https://a.test/\"onmouseover=alert(1))", "\" onmouseover")]
    [InlineData("<iframe src='https://a.test'></iframe>", "<iframe")]
    [InlineData("```html\n<script>x</script>\n```", "<script")]
    public async Task Nothing_of_a_card_runs_or_calls_home(string markdown, string mustNotShow)
    {
        var html = (await ReadAsync("m", markdown, "model")).Html;

        Assert.NotNull(html);
        Assert.DoesNotContain(mustNotShow, html, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("---\nlicense: [unclosed\n---\n", "not YAML")]
    [InlineData("---\n- a\n- b\n---\n", "not a mapping")]
    [InlineData("---\nlicense: mit\n", "no line '---'")]
    [InlineData("---\na: 1\na: 2\n---\n", "twice")]
    [InlineData("---\nlanguage: <script>\n---\n", "not a language")]
    public async Task A_card_that_cannot_be_read_is_refused_when_it_is_written_and_shown_with_its_problem_when_it_came_along(string markdown, string word)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ModelCards.CheckAsync(markdown, "markdown", Render));
        var shown = await ReadAsync("m", markdown, "m:1");

        Assert.Equal((ErrorCode.InvalidRequest, "markdown"), (refusal.Code, refusal.Field));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(shown.Html);
    }

    /// <summary>What is meant to cost a reader its stack or its memory costs neither.</summary>
    [Fact]
    public async Task Depth_and_references_cost_no_more_than_their_length()
    {
        var deepYaml = $"---\na: {new string('[', 20_000)}{new string(']', 20_000)}\n---\n";
        var bomb = "---\na: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n---\n";
        var deepText = new string('>', 50_000) + "x";
        var deepLinks = string.Concat(Enumerable.Repeat("[", 20_000)) + "x";

        Assert.NotNull(await ReadAsync("m", bomb, "model"));
        Assert.NotNull(await ReadAsync("m", deepYaml, "model"));
        Assert.NotNull(await ReadAsync("m", deepText, "model"));
        Assert.NotNull(await ReadAsync("m", deepLinks, "model"));
    }

    public static TheoryData<string> Dense
    {
        get
        {
            string Many(string part) => string.Concat(Enumerable.Repeat(part, 250_000 / part.Length));
            var wide = string.Concat(Enumerable.Repeat("|a", 2_000));
            return
            [
                Many("[a](b"), Many("[a]("), Many("![a](b"), Many("[a][b"), Many("["), Many("*a"), Many("*a **a "), Many("a**b"), Many("_a "), Many("**_"), new string('>', 50_000) + "x",
                $"{wide}|\n{wide.Replace('a', '-')}|\n{Many("|a\n")}", // short rows are filled up to the width of the head
                "- a\n  ```\n" + Many("[a](b"), // the fence ends with the item
                "x\n" + string.Concat(Enumerable.Repeat("    - " + Many("[a](b")[..300] + "\n", 800)), // no items: the paragraph goes on
            ];
        }
    }

    /// <summary>Each of these took the renderer seconds to minutes, or hundreds of megabytes.</summary>
    [Theory]
    [MemberData(nameof(Dense))]
    public async Task A_text_that_would_cost_too_much_is_not_rendered(string markdown)
    {
        Assert.False(CardCost.IsWithin(markdown));

        var shown = await ReadAsync("m", markdown, "m:1");
        Assert.Null(shown.Html);
        Assert.Contains("too dense", Assert.Single(shown.Problems), StringComparison.Ordinal);
        await Assert.ThrowsAsync<LlmOsException>(() => ModelCards.CheckAsync(markdown, "markdown", Render));
    }

    [Fact]
    public async Task Long_plain_cards_are_rendered()
    {
        var prose = string.Concat(Enumerable.Repeat("A sentence with a [link](https://example.org) and *some* `code` in it.\n", 8));
        var code = $"```json\n{string.Concat(Enumerable.Repeat("  {\"a\": [1, 2, \"x_y\"]},\n", 1_000))}```\n";
        var list = string.Concat(Enumerable.Repeat("- **item**: [link](https://example.org/page) and `code`\n", 500));
        var table = "|a|b|c|\n|-|-|-|\n" + string.Concat(Enumerable.Repeat("|[x](https://example.org)|1.5|`y`|\n", 300));
        var card = string.Concat(Enumerable.Repeat(prose + "\n", 100)) + code + "\n" + list + "\n" + table;

        var shown = await ReadAsync("m", card, "model");

        Assert.Empty(shown.Problems);
        Assert.Contains("<table>", shown.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_is_rendered_once_and_kept()
    {
        using var temp = new TempFolder();
        var folder = new DataFolder(temp.At("data"));
        using var pages = new CardPages(folder, TimeProvider.System, NullLogger<CardPages>.Instance);

        var first = await pages.OfAsync("# Title\n", CancellationToken.None);
        var deep = await pages.OfAsync(Many("[a](b", 60_000), CancellationToken.None);
        var kept = Directory.GetFiles(Path.Combine(folder.Cache, "cards"));
        foreach (var file in kept)
        {
            File.WriteAllText(file, File.ReadAllText(file).Replace("Title", "kept", StringComparison.Ordinal));
        }

        Assert.Equal(("<h1>Title</h1>\n", null, 2), (first, deep, kept.Length));
        Assert.Equal("<h1>kept</h1>\n", await pages.OfAsync("# Title\n", CancellationToken.None));
        Assert.Null(await pages.OfAsync(Many("[a](b", 60_000), CancellationToken.None));

        static string Many(string part, int length) => string.Concat(Enumerable.Repeat(part, length / part.Length));
    }

    private static Task<CardView> ReadAsync(string model, string markdown, string source) => ModelCards.ReadAsync(model, markdown, source, Render);

    private static Task<string?> Render(string markdown) => Task.FromResult(CardHtml.Render(markdown));
}
