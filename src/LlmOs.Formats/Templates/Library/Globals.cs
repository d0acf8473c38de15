using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Functions that every template has.</summary>
internal static class Globals
{
    private static readonly Dictionary<string, FunctionValue> Known = new FunctionValue[]
    {
        Signature.Define("range", "start stop? step?", (_, a) => a.Maybe(1) is null
            ? RangeValue.Of(0, a.Whole(0, 0), 1)
            : RangeValue.Of(a.Whole(0, 0), a.Whole(1, 0), a.Whole(2, 1))),
        Signature.Define("dict", "from? *", (run, a) => new MapValue(Entries(run, a))),
        Signature.Define("namespace", "from? *", (run, a) => new NamespaceValue(
            Entries(run, a).ToDictionary(e => PythonRepr.TextOf(run, e.Key).Text, e => e.Value, StringComparer.Ordinal))),
        Signature.Define("cycler", "*", (_, a) => Cycler(a.Rest)),
        Signature.Define("joiner", "sep?", (_, a) => Joiner(a.Maybe(0) ?? TextValue.Of(", "))),
        Signature.Define("raise_exception", "message", (run, a) =>
            throw new TemplateException(TemplateFault.Raised, PythonRepr.TextOf(run, a[0]).Text)),
        Signature.Define("strftime_now", "format", (run, a) => DateFormat.Apply(run, run.Now, a.Text(0))),
    }.ToDictionary(f => f.Name, StringComparer.Ordinal);

    public static FunctionValue? Find(string name) => Known.GetValueOrDefault(name);

    /// <summary>The entries of a mapping or of pairs, then the named ones; the last of equal names counts.</summary>
    private static List<KeyValuePair<TemplateValue, TemplateValue>> Entries(RenderRun run, Given given)
    {
        var entries = new List<KeyValuePair<TemplateValue, TemplateValue>>();
        if (given.Rest.Count > 0)
        {
            throw TemplateException.Type("at most 1 argument expected");
        }

        switch (given.Maybe(0))
        {
            case null:
                break;
            case MapValue map:
                entries.AddRange(map.Entries);
                break;
            case var pairs:
                foreach (var pair in Iteration.Of(run, pairs))
                {
                    entries.Add(Iteration.All(run, pair) is [var key, var value]
                        ? new(key, value)
                        : throw TemplateException.Value("dictionary update sequence element has a length other than 2"));
                }

                break;
        }

        entries.AddRange(given.Named.Select(n => new KeyValuePair<TemplateValue, TemplateValue>(TextValue.Of(n.Key), n.Value)));
        run.MakeItems(2 * entries.Count);
        return [.. new MapValue(entries).Entries];
    }

    private static NamespaceValue Cycler(IReadOnlyList<TemplateValue> items)
    {
        if (items.Count == 0)
        {
            throw TemplateException.Type("at least one item has to be provided");
        }

        var at = 0;
        var cycler = new NamespaceValue(new Dictionary<string, TemplateValue>(StringComparer.Ordinal) { ["current"] = items[0] });
        cycler.Set("next", new FunctionValue("next", (_, _) =>
        {
            var item = items[at];
            at = (at + 1) % items.Count;
            cycler.Set("current", items[at]);
            return item;
        }));
        cycler.Set("reset", new FunctionValue("reset", (_, _) =>
        {
            at = 0;
            cycler.Set("current", items[0]);
            return NoneValue.Instance;
        }));
        return cycler;
    }

    private static FunctionValue Joiner(TemplateValue separator)
    {
        var used = false;
        return new FunctionValue("joiner", (_, _) =>
        {
            var given = used ? separator : TextValue.Empty;
            used = true;
            return given;
        });
    }
}
