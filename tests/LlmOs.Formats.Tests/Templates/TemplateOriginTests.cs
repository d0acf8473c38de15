using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>A rendered text knows which of its stretches are a user's, whatever the template did to them.</summary>
public class TemplateOriginTests
{
    /// <summary>What the user says is in capitals beyond ASCII, which no template here writes.</summary>
    private const string Variables = """{"u":"ÄÖÜ","v":"ÀÈÌ","list":["ÄÖ","ÜÀ"],"map":{"ÄKÖ":"Ü"}}""";

    [Theory]
    [InlineData("a{{ u }}b")]
    [InlineData("{{ u + 'x' + v }}{{ u ~ 'x' ~ v }}")]
    [InlineData("{{ 'x' ~ (u + v) ~ 'y' ~ u[1:] ~ u[0] ~ u[::-1] }}")]
    [InlineData("{{ ('x ' + u + ' ')|trim }}{{ (' ' + u + 'x').strip('x ') }}")]
    [InlineData("{{ list|join('-') }}{{ list }}{{ map }}{{ '-'.join(list) }}")]
    [InlineData("{{ list|tojson }}{{ map|tojson(indent=2) }}")]
    [InlineData("{{ ('a' + u + 'a').replace('a', 'b') }}{{ 'xyx'.replace('y', u) }}")]
    [InlineData("{{ (u + ',x,' + v).split(',')|join(';') }}{{ (u + ',x').partition(',')[0] }}{{ (u + ',x').rsplit(',', 1)[1] }}")]
    [InlineData("{% set x %}a{{ u }}b{% endset %}{{ x }}{{ x|upper|lower }}")]
    [InlineData("{% macro m(t) %}<{{ t }}{{ caller() }}>{% endmacro %}{% call m(u) %}in {{ v }}{% endcall %}")]
    [InlineData("{% filter upper %}a{{ u }}b{% endfilter %}")]
    [InlineData("{{ ('a' ~ u)|indent(2, true) }}{{ u|center(9) }}{{ u.ljust(5, '.') }}")]
    [InlineData("{{ '%s-%5s' % (u, v) }}{{ '{}-{:>5}'.format(u, v) }}")]
    [InlineData("{% for c in u %}{{ c }}-{% endfor %}{{ u|list|reverse|join }}{{ u|first }}{{ list|map('first')|list }}")]
    [InlineData("{{ (u + '<x>')|e }}{{ [u ~ 'x']|string }}")]
    [InlineData("{% for k, v in map.items() %}{{ k }}: {{ v }}{% endfor %}{% for k in map %}{{ k }}{% endfor %}")]
    [InlineData("{{ 'x' * 2 }}{{ (u ~ 'x') * 2 }}{{ ('x' ~ u).removeprefix('x') }}")]
    public void Whatever_a_user_said_is_marked_and_nothing_that_the_template_says_is_lost(string template)
    {
        var rendered = Rendering.Render(template, Variables);

        for (var at = 0; at < rendered.Text.Length; at++)
        {
            if (char.IsAsciiLetterLower(rendered.Text[at]) || "ÄÖÜÀÈÌäöüàèì".Contains(rendered.Text[at]))
            {
                Assert.True(rendered.IsTemplates(at, 1) == char.IsAscii(rendered.Text[at]), $"'{rendered.Text[at]}' at {at} of {rendered.Text}");
            }
        }
    }

    [Theory]
    [InlineData("{{ u|urlencode }}")]
    [InlineData("{{ 'ß'.upper() if false else (u + 'ß').upper() }}")]
    [InlineData("{{ ('x' + u)|truncate(3, true, '') }}")]
    public void Where_the_origin_blurs_all_of_it_counts_as_the_users(string template)
    {
        var rendered = Rendering.Render(template, Variables);

        Assert.NotEmpty(rendered.UserSpans);
        Assert.False(rendered.IsTemplates(0, rendered.Text.Length));
    }

    [Fact]
    public void Spans_are_in_order_apart_and_within_the_text()
    {
        var rendered = Rendering.Render("{% for i in range(50) %}{{ u }}{{ v }}{{ 'x' * (i % 3) }}{{ list|tojson }}{% endfor %}", Variables);

        var end = -1;
        foreach (var span in rendered.UserSpans)
        {
            Assert.True(span.Start > end && span.Length > 0);
            end = span.End;
        }

        Assert.True(end <= rendered.Text.Length);
    }

    [Fact]
    public void What_stands_in_generation_blocks_is_told()
    {
        var rendered = Rendering.Render("{% for t in list %}<{% generation %}{{ t }}!{% endgeneration %}>{% endfor %}", Variables);

        Assert.Equal("<ÄÖ!><ÜÀ!>", rendered.Text);
        Assert.Equal([new TextSpan(1, 3), new TextSpan(6, 3)], rendered.GeneratedSpans);
    }

    [Fact]
    public void What_a_request_did_not_give_is_none_and_loops_no_time()
    {
        var variables = new Dictionary<string, TemplateValue> { ["tools"] = TemplateValue.NotGiven };

        var rendered = ChatTemplate.Parse("{{ tools is none }}{{ tools is defined }}{% for t in tools %}x{% endfor %}{{ tools|length }}{% if tools %}y{% endif %}")
            .Render(variables, TemplateLimits.Default, Rendering.Now, TimeProvider.System, CancellationToken.None);

        Assert.Equal("TrueTrue0", rendered.Text);
    }
}
