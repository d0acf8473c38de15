using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>What filters such as <c>map</c> give: can be gone through once, has no length and is always true.</summary>
internal sealed class GeneratorValue(IEnumerable<TemplateValue> items) : TemplateValue
{
    private readonly IEnumerator<TemplateValue> _items = items.GetEnumerator();

    internal override string TypeName => "generator";

    internal override bool IsTrue => true;

    internal override IEnumerable<TemplateValue> Items(RenderRun run)
    {
        while (_items.MoveNext())
        {
            yield return _items.Current;
        }
    }

    internal override void WriteRepr(TextOutput output) => output.Append("<generator object>");
}

/// <summary>The keys, values or items of a mapping.</summary>
/// <param name="word"><c>dict_keys</c> and so on.</param>
internal sealed class ViewValue(string word, IReadOnlyList<TemplateValue> items) : TemplateValue
{
    public IReadOnlyList<TemplateValue> List => items;

    internal override string TypeName => word;

    internal override bool IsTrue => items.Count > 0;

    internal override int Depth => items.Count == 0 ? 1 : 1 + items.Max(i => i.Depth);

    internal override int? Length => items.Count;

    internal override IEnumerable<TemplateValue> Items(RenderRun run) => items;

    internal override void WriteRepr(TextOutput output)
    {
        output.Append(word + "(");
        new ListValue(items).WriteRepr(output);
        output.Append(")");
    }
}

/// <summary>Whole numbers from one on up to before another.</summary>
internal sealed class RangeValue(long start, long stop, long step) : TemplateValue
{
    /// <summary>Jinja's sandbox has the same bound.</summary>
    private const int MaxItems = 100_000;

    public static RangeValue Of(long start, long stop, long step)
    {
        if (step == 0)
        {
            throw TemplateException.Value("range() arg 3 must not be zero");
        }

        var range = new RangeValue(start, stop, step);
        return range.Count <= MaxItems
            ? range
            : throw new TemplateException(TemplateFault.Limit, $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxItems}).");
    }

    public long Start => start;

    public long Step => step;

    public Int128 Count => step > 0
        ? start >= stop ? 0 : (((Int128)stop - start - 1) / step) + 1
        : start <= stop ? 0 : (((Int128)start - stop - 1) / -(Int128)step) + 1;

    internal override string TypeName => "range";

    internal override bool IsTrue => Count > 0;

    internal override int? Length => (int)Count;

    internal override IEnumerable<TemplateValue> Items(RenderRun run)
    {
        for (var at = 0; at < (int)Count; at++)
        {
            yield return IntValue.Of(start + (at * step));
        }
    }

    internal override void WriteRepr(TextOutput output) =>
        output.Append(FormattableString.Invariant(step == 1 ? $"range({start}, {stop})" : (FormattableString)$"range({start}, {stop}, {step})"));
}
