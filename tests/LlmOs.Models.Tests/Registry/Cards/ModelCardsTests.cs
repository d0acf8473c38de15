using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry.Cards;

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
    public void A_whole_card_states_its_facts_and_lacks_nothing()
    {
        var card = ModelCards.Read("m", Whole, "model");

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
    public void A_card_that_tells_little_says_what_is_missing()
    {
        Assert.Equal(["license", "languages", "data", "metrics", "limits"], ModelCards.Read("m", "# Only a title\n", "model").Missing);
        Assert.Equal(["license", "languages", "metrics"], ModelCards.Read("m", "Training data\n===\nBooks.\n\n## Bias and risks\nSome.\n", "model").Missing);
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
    public void Nothing_of_a_card_runs_or_calls_home(string markdown, string mustNotShow)
    {
        var html = ModelCards.Read("m", markdown, "model").Html;

        Assert.NotNull(html);
        Assert.DoesNotContain(mustNotShow, html, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("---\nlicense: [unclosed\n---\n", "not YAML")]
    [InlineData("---\n- a\n- b\n---\n", "not a mapping")]
    [InlineData("---\nlicense: mit\n", "no line '---'")]
    [InlineData("---\na: 1\na: 2\n---\n", "twice")]
    [InlineData("---\nlanguage: <script>\n---\n", "not a language")]
    public void A_card_that_cannot_be_read_is_refused_when_it_is_written_and_shown_with_its_problem_when_it_came_along(string markdown, string word)
    {
        var refusal = Assert.Throws<LlmOsException>(() => ModelCards.Check(markdown, "markdown"));
        var shown = ModelCards.Read("m", markdown, "m:1");

        Assert.Equal((ErrorCode.InvalidRequest, "markdown"), (refusal.Code, refusal.Field));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(shown.Html);
    }

    /// <summary>What is meant to cost a reader its stack or its memory costs neither.</summary>
    [Fact]
    public void Depth_and_references_cost_no_more_than_their_length()
    {
        var deepYaml = $"---\na: {new string('[', 20_000)}{new string(']', 20_000)}\n---\n";
        var bomb = "---\na: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n---\n";
        var deepText = new string('>', 50_000) + "x";
        var deepLinks = string.Concat(Enumerable.Repeat("[", 20_000)) + "x";

        Assert.NotNull(ModelCards.Read("m", bomb, "model"));
        Assert.NotNull(ModelCards.Read("m", deepYaml, "model"));
        Assert.NotNull(ModelCards.Read("m", deepText, "model"));
        Assert.NotNull(ModelCards.Read("m", deepLinks, "model"));
    }
}
