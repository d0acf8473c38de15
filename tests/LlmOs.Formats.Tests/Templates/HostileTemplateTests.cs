using System.Text.Json;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>Templates that would not end, or not fit: each is stopped by a limit that its message names.</summary>
public class HostileTemplateTests
{
    [Theory]
    [InlineData("a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "levels")]
    [InlineData("two macros that call each other", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}", "levels")]
    [InlineData("a caller that calls its macro", "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}{% endmacro %}{{ n() }}", "levels")]
    [InlineData("a loop over its own items", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "levels")]
    [InlineData("a namespace that holds itself", "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}", "levels")]
    [InlineData("a list that is put into itself again and again", "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "levels")]
    [InlineData("a thousand million turns", "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("a range of a thousand million", "{% for a in range(1000000000) %}{% endfor %}", "MAX_RANGE")]
    [InlineData("a text that doubles", "{% set ns = namespace(x='xxxxxxxxxxxxxxxx') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "characters")]
    [InlineData("a text that doubles by joining", "{% set ns = namespace(x='xxxxxxxxxxxxxxxx') %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x]|join %}{% endfor %}", "characters")]
    [InlineData("a text repeated", "{{ 'a' * 10**9 }}", "characters")]
    [InlineData("a text repeated as often as no number says", "{{ 'a' * 10**3000 }}", "characters")]
    [InlineData("a list repeated", "{{ ([1] * 10**9)|length }}", "characters")]
    [InlineData("a list that doubles", "{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "characters")]
    [InlineData("a list of lists that is written out", "{% set ns = namespace(x=['x']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}", "characters")]
    [InlineData("a list of lists that is written as JSON", "{% set ns = namespace(x=['x']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}", "steps")]
    [InlineData("lists of lists that are compared", "{% set ns = namespace(x=['x'], y=['x']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}", "steps")]
    [InlineData("many texts that are kept", "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = ns.x + ['a' * 1000000] %}{% endfor %}", "characters")]
    [InlineData("a replacement that grows", "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x.replace('a', 'aaaaaaaaaa') %}{% endfor %}", "characters")]
    [InlineData("a wide field", "{{ 'a'.center(2000000000) }}", "characters")]
    [InlineData("a field as wide as all texts together", "{{ '%999999999s' % 'a' * 10 }}", "width")]
    [InlineData("a width beyond all others", "{{ '%99999999999s' % 'a' }}", "width")]
    [InlineData("a width that is given", "{{ '%*d' % (10**7, 1) }}", "width")]
    [InlineData("a width in braces", "{{ '{:>10000000}'.format('a') }}", "width")]
    [InlineData("a precision", "{{ '%.9999999s' % 'a' }}", "precision")]
    [InlineData("more decimals than are written", "{{ '%.2000f' % 1.5 }}", "digits")]
    [InlineData("more decimals than are written, in braces", "{{ '{:.2000f}'.format(1.5) }}", "digits")]
    [InlineData("a whole number with as many digits", "{{ '%.2000d' % 1 }}", "digits")]
    [InlineData("comments without end", "{{ ('<!---->' * 20000)|striptags }}", "characters")]
    [InlineData("an indent without end", "{{ [1]|tojson(indent=2000000000) }}", "characters")]
    [InlineData("lines that are indented widely", "{{ ('a\n' * 100000)|indent(100000) }}", "characters")]
    [InlineData("tabs that are wide", "{{ 'a\t'.expandtabs(2000000000) }}", "characters")]
    [InlineData("a filter that fills up", "{{ [1]|batch(2000000000, 'x')|list }}", "characters")]
    [InlineData("slices without end", "{{ [1]|slice(2000000000)|list }}", "steps")]
    [InlineData("a number with a thousand million digits", "{{ 10 ** (10**9) }}", "power")]
    [InlineData("a number that squares", "{% set ns = namespace(x=3) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}", "bits")]
    [InlineData("output without end", "{% for a in range(100000) %}{% for b in range(1000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}", "characters")]
    [InlineData("a sort of long texts that are equal but for their ends", "{% set x = 'a' * 1000000 %}{% set l = [x ~ 'a', x ~ 'b'] * 1000 %}{{ (l|sort)|length }}", "characters")]
    [InlineData("the same with their case", "{% set x = 'a' * 1000000 %}{% set l = [x ~ 'a', x ~ 'b'] * 1000 %}{{ (l|sort(case_sensitive=true))|length }}", "steps")]
    [InlineData("a search that fails late everywhere", "{% set h = 'a' * 2000000 %}{% set n = 'a' * 1000000 ~ 'b' %}{% for i in range(100000) %}{{ n in h }}{% endfor %}", "steps")]
    [InlineData("a search backwards that fails late everywhere", "{% set h = 'a' * 2000000 %}{% set n = 'b' ~ 'a' * 1000000 %}{{ h.rsplit(n, 1)|length }}", "long")]
    [InlineData("a last place that is looked for everywhere", "{% set h = 'a' * 2000000 %}{% set n = 'a' * 1000000 %}{{ h.rfind(n) }}", "steps")]
    public void It_is_stopped(string what, string template, string limit)
    {
        var fault = Rendering.Fault(template);

        Assert.True(fault.Fault == TemplateFault.Limit, $"{what}: {fault.Fault} {fault.Message}");
        Assert.Contains(limit, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("{1:", "}")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("f(", ")")]
    [InlineData("x[", "]")]
    [InlineData("1 if 1 else ", "")]
    public void Deep_expressions_are_refused_or_read(string open, string close)
    {
        var deep = $"{{{{ {string.Concat(Enumerable.Repeat(open, 20_000))}1{string.Concat(Enumerable.Repeat(close, 20_000))} }}}}";

        if (open == "not ")
        {
            Assert.Equal("True", Rendering.Render(deep).Text);
        }
        else
        {
            Assert.Equal(TemplateFault.Limit, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(deep)).Fault);
        }
    }

    [Theory]
    [InlineData("1", " + 1")]
    [InlineData("'a'", "|upper")]
    [InlineData("x", ".y")]
    [InlineData("x", "[0]")]
    [InlineData("1", " or 1")]
    public void Long_chains_are_read_and_stopped_when_they_run(string first, string more)
    {
        var chain = ChatTemplate.Parse($"{{{{ {first}{string.Concat(Enumerable.Repeat(more, 20_000))} }}}}");

        var fault = Assert.Throws<TemplateException>(() => Rendering.Render(chain, JsonDocument.Parse("{}").RootElement));

        Assert.Contains("levels", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% if 1 %}", "{% endif %}")]
    [InlineData("{% for x in [1] %}", "{% endfor %}")]
    [InlineData("{% macro m() %}", "{% endmacro %}")]
    [InlineData("{% filter upper %}", "{% endfilter %}")]
    public void Deep_blocks_are_refused(string open, string close)
    {
        var fault = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(
            string.Concat(Enumerable.Repeat(open, 20_000)) + string.Concat(Enumerable.Repeat(close, 20_000))));

        Assert.Contains("blocks within each other", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_as_long_as_a_book_is_refused()
    {
        Assert.Equal(TemplateFault.Limit, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(new string('x', ChatTemplate.LongestSource + 1))).Fault);
    }

    [Fact]
    public void Time_is_a_limit_of_its_own()
    {
        var clock = new SlowClock();

        var fault = Rendering.Fault("{% for a in range(100000) %}{% endfor %}", clock: clock);

        Assert.Contains("takes longer than 5 seconds", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_caller_who_leaves_stops_it()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();

        Assert.Throws<OperationCanceledException>(() => ChatTemplate.Parse("{% for a in range(100000) %}{% endfor %}")
            .Render(new Dictionary<string, TemplateValue>(), TemplateLimits.Default, Rendering.Now, TimeProvider.System, source.Token));
    }

    [Theory]
    [InlineData("{{ ''.__class__ }}")]
    [InlineData("{{ [].__class__.__mro__ }}")]
    [InlineData("{{ x.GetType() }}")]
    [InlineData("{{ range.__globals__ }}")]
    [InlineData("{{ raise_exception.__init__.__globals__ }}")]
    [InlineData("{{ self.__init__ }}")]
    [InlineData("{{ ''|attr('__class__')|attr('x') }}")]
    [InlineData("{{ '{0.__class__}'.format(1) }}")]
    public void Nothing_behind_a_value_can_be_reached(string template)
    {
        var text = "";
        try
        {
            text = Rendering.Render(template).Text;
        }
        catch (TemplateException)
        {
        }

        Assert.Equal("", text);
    }

    /// <summary>A clock by which every look takes a second.</summary>
    private sealed class SlowClock : TimeProvider
    {
        private long _looks;

        public override long GetTimestamp() => ++_looks * TimestampFrequency;
    }
}
