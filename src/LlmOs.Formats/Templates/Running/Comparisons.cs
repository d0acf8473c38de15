using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>Python's comparisons on template values.</summary>
internal static class Comparisons
{
    public static bool AreEqual(RenderRun run, TemplateValue left, TemplateValue right)
    {
        run.Step();
        if (ReferenceEquals(left, right))
        {
            return left is not FloatValue { Value: double.NaN };
        }

        switch (left, right)
        {
            case (TextValue a, TextValue b):
                if (a.Text.Length != b.Text.Length)
                {
                    return false;
                }

                run.Scan(a.Text.Length);
                return string.Equals(a.Text, b.Text, StringComparison.Ordinal);
            case (NoneValue, NoneValue) or (UndefinedValue, UndefinedValue):
                return true;
            case (ListValue a, ListValue b):
                return a.IsTuple == b.IsTuple && AreEqual(run, a.List, b.List);
            case (ViewValue a, ViewValue b):
                return a.TypeName == b.TypeName && AreEqual(run, a.List, b.List);
            case (MapValue a, MapValue b):
                return a.Entries.Count == b.Entries.Count
                    && a.Entries.All(entry => b.Find(entry.Key) is { } other && AreEqual(run, entry.Value, other));
            case (RangeValue a, RangeValue b):
                return a.Count == b.Count && (a.Count == 0 || (a.Start == b.Start && (a.Count == 1 || a.Step == b.Step)));
            case (FloatValue, FloatValue or IntValue or BoolValue) or (IntValue or BoolValue, FloatValue):
                return PythonOperators.Number(left) == PythonOperators.Number(right);
            default:
                return PythonOperators.Whole(left) is { } x && PythonOperators.Whole(right) is { } y && x == y;
        }
    }

    /// <summary>Below 0 where the left comes first.</summary>
    /// <param name="sign">The comparison as the template writes it, for the message where there is none.</param>
    public static int Order(RenderRun run, TemplateValue left, TemplateValue right, string sign)
    {
        run.Step();
        switch (left, right)
        {
            case (TextValue a, TextValue b):
                run.Scan(Math.Min(a.Text.Length, b.Text.Length));
                return TextSearch.Compare(a.Text, b.Text);
            case (ListValue a, ListValue b) when a.IsTuple == b.IsTuple:
                for (var at = 0; at < Math.Min(a.List.Count, b.List.Count); at++)
                {
                    if (!AreEqual(run, a.List[at], b.List[at]))
                    {
                        return Order(run, a.List[at], b.List[at], sign);
                    }
                }

                return a.List.Count.CompareTo(b.List.Count);
        }

        if ((left as UndefinedValue ?? right as UndefinedValue) is { } undefined)
        {
            throw undefined.Fault();
        }

        if (PythonOperators.Whole(left) is { } x && PythonOperators.Whole(right) is { } y)
        {
            return x.CompareTo(y);
        }

        return PythonOperators.Number(left) is { } p && PythonOperators.Number(right) is { } q
            ? p.CompareTo(q)
            : throw TemplateException.Type($"'{sign}' not supported between instances of '{left.TypeName}' and '{right.TypeName}'");
    }

    /// <summary>Python's <c>in</c>.</summary>
    public static bool Contains(RenderRun run, TemplateValue container, TemplateValue item)
    {
        switch (container)
        {
            case TextValue text:
                var needle = item as TextValue
                    ?? throw TemplateException.Type($"'in <string>' requires string as left operand, not {item.TypeName}");
                return TextSearch.Find(run, text.Text, needle.Text, 0) >= 0;
            case MapValue map:
                return map.Find(item) is not null;
            case NamespaceValue or LoopValue:
                break;
            default:
                if (container.Items(run) is { } items)
                {
                    return items.Any(other => AreEqual(run, other, item));
                }

                break;
        }

        throw TemplateException.Type($"argument of type '{container.TypeName}' is not iterable");
    }

    private static bool AreEqual(RenderRun run, IReadOnlyList<TemplateValue> left, IReadOnlyList<TemplateValue> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        for (var at = 0; at < left.Count; at++)
        {
            if (!AreEqual(run, left[at], right[at]))
            {
                return false;
            }
        }

        return true;
    }
}
