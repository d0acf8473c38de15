using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Filters over whatever can be gone through.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<FunctionValue> All() =>
    [
        Signature.Define("length", "value", (_, a) => a[0].Length is { } length
            ? IntValue.Of(length)
            : throw TemplateException.Type($"object of type '{a[0].TypeName}' has no len()")),
        Signature.Define("list", "value", (run, a) => new ListValue(Iteration.All(run, a[0]))),
        Signature.Define("first", "seq", (run, a) => Iteration.Of(run, a[0]).FirstOrDefault() ?? new UndefinedValue("No first item, sequence was empty.")),
        Signature.Define("last", "seq", (run, a) => Iteration.All(run, Reversible(a[0])) is [.., var last] ? last : new UndefinedValue("No last item, sequence was empty.")),
        Signature.Define("reverse", "value", (run, a) => Reverse(run, a[0])),
        Signature.Define("join", "value d? attribute?", (run, a) => Texts.Join(
            run, Attributes(run, Iteration.Of(run, a[0]), a.Maybe(2)), PythonRepr.TextOf(run, a.Maybe(1) ?? TextValue.Empty).AsPlain())),
        Signature.Define("sum", "iterable attribute? start?", (run, a) =>
            Attributes(run, Iteration.Of(run, a[0]), a.Maybe(1)).Aggregate(a.Maybe(2) ?? IntValue.Of(0), (sum, item) => PythonOperators.Add(run, sum, item))),
        Signature.Define("min", "value case_sensitive? attribute?", (run, a) => Extreme(run, a, "<")),
        Signature.Define("max", "value case_sensitive? attribute?", (run, a) => Extreme(run, a, ">")),
        Signature.Define("sort", "value reverse? case_sensitive? attribute?", Sort),
        Signature.Define("dictsort", "value case_sensitive? by? reverse?", SortMap),
        Signature.Define("unique", "value case_sensitive? attribute?", (run, a) => new GeneratorValue(Unique(run, a))),
        Signature.Define("groupby", "value attribute default? case_sensitive?", GroupBy),
        Signature.Define("batch", "value linecount fill_with?", (run, a) => new GeneratorValue(Batch(run, a))),
        Signature.Define("slice", "value slices fill_with?", (run, a) => new GeneratorValue(Slices(run, a))),
        Signature.Define("items", "value", (run, a) => a[0] switch
        {
            UndefinedValue or NoneValue { Length: 0 } => new GeneratorValue([]),
            MapValue map => new GeneratorValue(Methods.Items(run, map).List),
            _ => throw TemplateException.Type("Can only get item pairs from a mapping."),
        }),
    ];

    /// <summary>An attribute by its path, such as <c>function.name</c>: items first, then members.</summary>
    public static TemplateValue Attribute(RenderRun run, TemplateValue item, TemplateValue? path, TemplateValue? otherwise = null)
    {
        if (path is null or NoneValue)
        {
            return item;
        }

        foreach (var part in path is TextValue text ? text.Text.Split('.') : [])
        {
            run.Step();
            item = Members.Item(run, item, part.Length is > 0 and < 10 && part.All(char.IsAsciiDigit)
                ? IntValue.Of(int.Parse(part, System.Globalization.CultureInfo.InvariantCulture))
                : TextValue.Of(part));
            item = item is UndefinedValue && otherwise is not null and not NoneValue ? otherwise : item;
        }

        if (path is not TextValue)
        {
            item = Members.Item(run, item, path);
            item = item is UndefinedValue && otherwise is not null and not NoneValue ? otherwise : item;
        }

        return item;
    }

    private static IEnumerable<TemplateValue> Attributes(RenderRun run, IEnumerable<TemplateValue> items, TemplateValue? path) =>
        path is null or NoneValue ? items : items.Select(item => Attribute(run, item, path));

    /// <summary>The value by which an item is compared: in small letters unless case counts.</summary>
    private static TemplateValue Key(RenderRun run, TemplateValue item, TemplateValue? path, bool caseSensitive, TemplateValue? otherwise = null)
    {
        var key = Attribute(run, item, path, otherwise);
        if (key is not TextValue text || caseSensitive)
        {
            return key;
        }

        run.Make(text.Text.Length);
        return text.Respelt(Casing.Lower(text.Text));
    }

    private static TemplateValue Reversible(TemplateValue value) => value is GeneratorValue
        ? throw TemplateException.Type("'generator' object is not reversible")
        : value;

    private static TemplateValue Reverse(RenderRun run, TemplateValue value)
    {
        var items = Iteration.All(run, value);
        items.Reverse();
        return value is TextValue ? Texts.Join(run, items) : new GeneratorValue(items);
    }

    private static TemplateValue Extreme(RenderRun run, Given a, string sign)
    {
        TemplateValue? best = null, bestKey = null;
        foreach (var item in Iteration.Of(run, a[0]))
        {
            var key = Key(run, item, a.Maybe(2), a.Flag(1, false));
            if (bestKey is null || (sign == "<" ? Comparisons.Order(run, key, bestKey, sign) < 0 : Comparisons.Order(run, key, bestKey, sign) > 0))
            {
                (best, bestKey) = (item, key);
            }
        }

        return best ?? new UndefinedValue("No aggregated item, sequence was empty.");
    }

    private static ListValue Sort(RenderRun run, Given a)
    {
        // Several attributes, apart by commas, sort by the first, then by the second.
        TemplateValue?[] paths = a.Maybe(3) is TextValue path ? [.. path.Text.Split(',').Select(p => (TemplateValue)TextValue.Of(p))] : [a.Maybe(3)];
        var keyed = Iteration.All(run, a[0])
            .ConvertAll(item => (Item: item, Keys: Array.ConvertAll(paths, p => Key(run, item, p, a.Flag(2, false)))));
        return new ListValue(Sorted(run, keyed, a.Flag(1, false)).ConvertAll(k => k.Item));
    }

    private static ListValue SortMap(RenderRun run, Given a)
    {
        var map = a[0] as MapValue ?? throw UndefinedValue.Member(a[0], "items").Fault();
        var by = a.MaybeText(2)?.Text ?? "key";
        if (by is not ("key" or "value"))
        {
            throw TemplateException.Value("You can only sort by either \"key\" or \"value\"");
        }

        var keyed = Methods.Items(run, map).List.Cast<ListValue>()
            .Select(pair => (Item: (TemplateValue)pair, Keys: new[] { Key(run, pair.List[by == "key" ? 0 : 1], null, a.Flag(1, false)) }))
            .ToList();
        return new ListValue(Sorted(run, keyed, a.Flag(3, false)).ConvertAll(k => k.Item));
    }

    private static List<(TemplateValue Item, TemplateValue[] Keys)> Sorted(RenderRun run, List<(TemplateValue Item, TemplateValue[] Keys)> keyed, bool reverse) =>
        Sorting.Stable(run, keyed, (left, right) =>
        {
            for (var at = 0; at < left.Keys.Length; at++)
            {
                if (Comparisons.Order(run, left.Keys[at], right.Keys[at], "<") is var order and not 0)
                {
                    return reverse ? -order : order;
                }
            }

            return 0;
        });

    private static IEnumerable<TemplateValue> Unique(RenderRun run, Given a)
    {
        var seen = new HashSet<ScalarKey>();
        var tuples = new List<TemplateValue>();
        foreach (var item in Iteration.Of(run, a[0]))
        {
            var key = Key(run, item, a.Maybe(2), a.Flag(1, false));
            run.MakeItems(2);
            if (key is ListValue { IsTuple: true })
            {
                if (!tuples.Exists(other => Comparisons.AreEqual(run, other, key)))
                {
                    tuples.Add(key);
                    yield return item;
                }
            }
            else if (seen.Add(ScalarKey.Of(key)))
            {
                yield return item;
            }
        }
    }

    private static ListValue GroupBy(RenderRun run, Given a)
    {
        var keyed = Iteration.All(run, a[0]).ConvertAll(item => (Item: item, Keys: new[] { Key(run, item, a[1], a.Flag(3, false), a.Maybe(2)) }));
        var groups = new List<TemplateValue>();
        var members = new List<TemplateValue>();
        TemplateValue? current = null;
        foreach (var (item, keys) in Sorted(run, keyed, reverse: false))
        {
            if (current is not null && !Comparisons.AreEqual(run, current, keys[0]))
            {
                Close();
            }

            current = keys[0];
            members.Add(item);
        }

        if (current is not null)
        {
            Close();
        }

        return new ListValue(groups);

        void Close()
        {
            // Unpacks as a pair; its parts also have names.
            var grouper = Attribute(run, members[0], a[1], a.Maybe(2));
            groups.Add(new GroupValue(grouper, new ListValue([.. members])));
            members.Clear();
        }
    }

    private static IEnumerable<TemplateValue> Batch(RenderRun run, Given a)
    {
        var size = Math.Max(1, a.Whole(1, 1));
        var batch = new List<TemplateValue>();
        foreach (var item in Iteration.Of(run, a[0]))
        {
            if (batch.Count == size)
            {
                yield return new ListValue([.. batch]);
                batch.Clear();
            }

            run.MakeItems(1);
            batch.Add(item);
        }

        if (batch.Count > 0)
        {
            if (a.Maybe(2) is { } fill and not NoneValue && batch.Count < size)
            {
                run.MakeItems(size);
                batch.AddRange(Enumerable.Repeat(fill, size - batch.Count));
            }

            yield return new ListValue(batch);
        }
    }

    private static IEnumerable<TemplateValue> Slices(RenderRun run, Given a)
    {
        var all = Iteration.All(run, a[0]);
        var slices = a.Whole(1, 1) is > 0 and var count ? count : throw TemplateException.Value("integer division or modulo by zero");
        var start = 0;
        for (var at = 0; at < slices; at++)
        {
            var size = (all.Count / slices) + (at < all.Count % slices ? 1 : 0);
            run.MakeItems(size + 1);
            var slice = all.GetRange(start, size);
            if (a.Maybe(2) is { } fill and not NoneValue && at >= all.Count % slices)
            {
                slice.Add(fill);
            }

            start += size;
            yield return new ListValue(slice);
        }
    }
}
