using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>A list or a tuple. Never changes.</summary>
internal sealed class ListValue : TemplateValue
{
    public ListValue(IReadOnlyList<TemplateValue> items, bool isTuple = false)
    {
        List = items;
        IsTuple = isTuple;
        foreach (var item in items)
        {
            _depth = Math.Max(_depth, item.Depth + 1);
        }

        NestingRule.Check(_depth);
    }

    private readonly int _depth = 1;

    public IReadOnlyList<TemplateValue> List { get; }

    public bool IsTuple { get; }

    internal override int Depth => _depth;

    internal override string TypeName => IsTuple ? "tuple" : "list";

    internal override bool IsTrue => List.Count > 0;

    internal override int? Length => List.Count;

    internal override IEnumerable<TemplateValue> Items(RenderRun run) => List;

    internal override void WriteRepr(TextOutput output)
    {
        output.Append(IsTuple ? "(" : "[");
        for (var at = 0; at < List.Count; at++)
        {
            output.Append(at > 0 ? ", " : "");
            List[at].WriteRepr(output);
        }

        output.Append(!IsTuple ? "]" : List.Count == 1 ? ",)" : ")");
    }
}

/// <summary>What <c>groupby</c> gives: a pair whose parts have names.</summary>
internal sealed class GroupValue(TemplateValue grouper, ListValue list) : TemplateValue
{
    public TemplateValue Grouper => grouper;

    public ListValue Members => list;

    internal override int Depth => list.Depth + 1;

    internal override string TypeName => "_GroupTuple";

    internal override bool IsTrue => true;

    internal override int? Length => 2;

    internal override IEnumerable<TemplateValue> Items(RenderRun run) => [grouper, list];

    internal override void WriteRepr(TextOutput output) => new ListValue([grouper, list], isTuple: true).WriteRepr(output);
}

/// <summary>A mapping in the order of its making. Never changes.</summary>
internal sealed class MapValue : TemplateValue
{
    private readonly List<KeyValuePair<TemplateValue, TemplateValue>> _entries = [];
    private readonly Dictionary<ScalarKey, int> _places = [];
    private readonly int _depth = 1;

    public MapValue(IEnumerable<KeyValuePair<TemplateValue, TemplateValue>> entries)
    {
        foreach (var entry in entries)
        {
            var key = ScalarKey.Of(entry.Key);
            if (_places.TryAdd(key, _entries.Count))
            {
                _entries.Add(entry);
            }
            else
            {
                _entries[_places[key]] = new(_entries[_places[key]].Key, entry.Value);
            }

            _depth = Math.Max(_depth, entry.Value.Depth + 1);
        }

        NestingRule.Check(_depth);
    }

    public IReadOnlyList<KeyValuePair<TemplateValue, TemplateValue>> Entries => _entries;

    internal override int Depth => _depth;

    internal override string TypeName => "dict";

    internal override bool IsTrue => _entries.Count > 0;

    internal override int? Length => _entries.Count;

    public TemplateValue? Find(TemplateValue key) => _places.TryGetValue(ScalarKey.Of(key), out var at) ? _entries[at].Value : null;

    public TemplateValue? Find(string key) => _places.TryGetValue(ScalarKey.Of(key), out var at) ? _entries[at].Value : null;

    internal override IEnumerable<TemplateValue> Items(RenderRun run) => _entries.Select(e => e.Key);

    internal override void WriteRepr(TextOutput output)
    {
        output.Append("{");
        for (var at = 0; at < _entries.Count; at++)
        {
            output.Append(at > 0 ? ", " : "");
            _entries[at].Key.WriteRepr(output);
            output.Append(": ");
            _entries[at].Value.WriteRepr(output);
        }

        output.Append("}");
    }
}

/// <summary>A value as a key: numbers that are equal are one key, whatever their type.</summary>
internal readonly record struct ScalarKey(byte Kind, string Text, double Number)
{
    public static ScalarKey Of(string text) => new(1, text, 0);

    public static ScalarKey Of(TemplateValue value) => value switch
    {
        TextValue text => Of(text.Text),
        NoneValue => new ScalarKey(0, "", 0),
        BoolValue flag => new ScalarKey(2, "", flag.IsTrue ? 1 : 0),
        IntValue number when System.Numerics.BigInteger.Abs(number.Value) < 1L << 53 => new ScalarKey(2, "", (double)number.Value),
        IntValue number => new ScalarKey(3, number.Value.ToString(System.Globalization.CultureInfo.InvariantCulture), 0),
        FloatValue number => new ScalarKey(2, "", number.Value),
        UndefinedValue => new ScalarKey(4, "", 0),
        _ => throw TemplateException.Type($"unhashable type: '{value.TypeName}'"),
    };
}

/// <summary>Bounds how deep lists and mappings may lie within each other, so that whoever walks one needs no bound.</summary>
internal static class NestingRule
{
    private const int MaxLevels = 200;

    public static void Check(int depth)
    {
        if (depth > MaxLevels)
        {
            throw new TemplateException(TemplateFault.Limit, $"The template was given or made lists within each other of more than {MaxLevels} levels.");
        }
    }
}
