using System.Numerics;
using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>What stands behind a point or in brackets.</summary>
internal static class Members
{
    /// <summary><c>owner.name</c>: a method of the type first, then an entry of the mapping.</summary>
    public static TemplateValue Attribute(TemplateValue owner, string name)
    {
        switch (owner)
        {
            case UndefinedValue undefined:
                throw undefined.Fault();
            case NamespaceValue space:
                return space.Find(name) ?? UndefinedValue.Member(owner, name);
            case LoopValue loop:
                return loop.Find(name) ?? UndefinedValue.Member(owner, name);
            case FunctionValue { IsMacro: true } macro when name == "name":
                return TextValue.Of(macro.Name);
            case GroupValue group:
                return name switch { "grouper" => group.Grouper, "list" => group.Members, _ => UndefinedValue.Member(owner, name) };
        }

        return Methods.Find(owner, name) ?? (owner as MapValue)?.Find(name) ?? UndefinedValue.Member(owner, name);
    }

    /// <summary><c>owner[key]</c>: an item first, then a method.</summary>
    public static TemplateValue Item(RenderRun run, TemplateValue owner, TemplateValue key)
    {
        switch (owner, key)
        {
            case (UndefinedValue undefined, _):
                throw undefined.Fault();
            case (MapValue map, not (ListValue or MapValue)) when map.Find(key) is { } found:
                return found;
            case (ListValue list, IntValue or BoolValue):
                return At(list.List.Count, key) is { } at ? list.List[at] : Missing(owner, key, run);
            case (TextValue text, IntValue or BoolValue):
                if (At(text.Length!.Value, key) is { } place)
                {
                    var unit = text.UnitOf(place);
                    return text.Cut(unit, text.UnitsAt(unit));
                }

                return Missing(owner, key, run);
            case (RangeValue range, IntValue or BoolValue):
                return At((int)range.Count, key) is { } index ? IntValue.Of(range.Start + (index * range.Step)) : Missing(owner, key, run);
            case (NamespaceValue space, TextValue name):
                return space.Find(name.Text) ?? Missing(owner, key, run);
            case (GroupValue group, IntValue or BoolValue):
                return At(2, key) switch { 0 => group.Grouper, 1 => group.Members, _ => Missing(owner, key, run) };
            case (GroupValue, TextValue name):
                return Attribute(owner, name.Text);
            case (LoopValue loop, TextValue name):
                return loop.Find(name.Text) ?? Missing(owner, key, run);
        }

        return key is TextValue method && Methods.Find(owner, method.Text) is { } function ? function : Missing(owner, key, run);
    }

    /// <summary><c>owner[start:stop:step]</c></summary>
    public static TemplateValue Slice(RenderRun run, TemplateValue owner, TemplateValue? start, TemplateValue? stop, TemplateValue? step)
    {
        if (owner is UndefinedValue undefined)
        {
            throw undefined.Fault();
        }

        var by = Bound(step) ?? 1;
        if (by == 0)
        {
            throw TemplateException.Value("slice step cannot be zero");
        }

        if (owner is not (TextValue or ListValue or RangeValue))
        {
            return UndefinedValue.Element(owner, "slice");
        }

        var count = owner.Length!.Value;
        var (from, to) = Ends(count, Bound(start), Bound(stop), by);
        if (owner is TextValue text && by == 1)
        {
            if (to <= from)
            {
                return TextValue.Empty;
            }

            var (first, last) = (text.UnitOf((int)from), text.UnitOf((int)to));
            run.Make(last - first);
            return text.Cut(first, last - first);
        }

        var items = owner is ListValue list ? list.List : [.. owner.Items(run)!];
        var chosen = new List<TemplateValue>();
        for (var at = from; by > 0 ? at < to : at > to; at += by)
        {
            chosen.Add(items[(int)at]);
        }

        run.MakeItems(chosen.Count);
        return owner is TextValue ? Texts.Join(run, chosen) : new ListValue(chosen, owner is ListValue { IsTuple: true });
    }

    private static UndefinedValue Missing(TemplateValue owner, TemplateValue key, RenderRun run) =>
        key is TextValue name ? UndefinedValue.Member(owner, name.Text) : UndefinedValue.Element(owner, PythonRepr.Of(run, key).Text);

    private static int? At(int count, TemplateValue key)
    {
        var at = PythonOperators.Whole(key)!.Value;
        at = at < 0 ? at + count : at;
        return at >= 0 && at < count ? (int)at : null;
    }

    /// <summary>A bound of a slice; null where none is given.</summary>
    private static long? Bound(TemplateValue? bound) => bound switch
    {
        null or NoneValue => null,
        UndefinedValue undefined => throw undefined.Fault(),
        _ => PythonOperators.Whole(bound) is { } whole
            ? (long)BigInteger.Max(BigInteger.Min(whole, int.MaxValue), int.MinValue)
            : throw TemplateException.Type("slice indices must be integers or None or have an __index__ method"),
    };

    private static (long From, long To) Ends(int count, long? start, long? stop, long by)
    {
        var (lowest, highest) = by > 0 ? (0L, (long)count) : (-1L, count - 1L);
        return (Clamp(start, by > 0 ? lowest : highest), Clamp(stop, by > 0 ? highest : lowest));

        long Clamp(long? bound, long otherwise) =>
            bound is not { } at ? otherwise : Math.Clamp(at < 0 ? at + count : at, lowest, highest);
    }
}
