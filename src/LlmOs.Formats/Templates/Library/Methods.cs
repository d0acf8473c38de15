using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Methods of texts, lists, mappings and numbers: those that Python has and that change nothing.</summary>
internal static class Methods
{
    private static readonly string[] Changing =
        ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", "popitem", "setdefault", "update"];

    private static readonly Dictionary<string, FunctionValue> OfMaps = Table(
        Signature.Define("get", "self key default?", (_, a) => ((MapValue)a[0]).Find(a[1]) ?? a.Maybe(2) ?? NoneValue.Instance),
        Signature.Define("items", "self", (run, a) => Items(run, (MapValue)a[0])),
        Signature.Define("keys", "self", (_, a) => new ViewValue("dict_keys", [.. ((MapValue)a[0]).Entries.Select(e => e.Key)])),
        Signature.Define("values", "self", (_, a) => new ViewValue("dict_values", [.. ((MapValue)a[0]).Entries.Select(e => e.Value)])),
        Signature.Define("copy", "self", (_, a) => a[0]));

    private static readonly Dictionary<string, FunctionValue> OfLists = Table(
        Signature.Define("count", "self value", (run, a) => IntValue.Of(((ListValue)a[0]).List.Count(item => Comparisons.AreEqual(run, item, a[1])))),
        Signature.Define("index", "self value", (run, a) =>
        {
            var list = ((ListValue)a[0]).List;
            for (var at = 0; at < list.Count; at++)
            {
                if (Comparisons.AreEqual(run, list[at], a[1]))
                {
                    return IntValue.Of(at);
                }
            }

            throw TemplateException.Value($"{PythonRepr.Of(run, a[1]).Text} is not in list");
        }),
        Signature.Define("copy", "self", (_, a) => a[0]));

    private static readonly Dictionary<string, FunctionValue> OfNumbers = Table(
        Signature.Define("is_integer", "self", (_, a) => BoolValue.Of(PythonOperators.Number(a[0]) is { } n && n == Math.Floor(n))),
        Signature.Define("bit_length", "self", (_, a) => IntValue.Of((long)System.Numerics.BigInteger.Abs(PythonOperators.Whole(a[0]) ?? 0).GetBitLength())));

    /// <summary>The method with its owner; null where the type has none of that name.</summary>
    public static FunctionValue? Find(TemplateValue owner, string name)
    {
        var table = owner switch
        {
            TextValue => TextMethods.Known,
            MapValue => OfMaps,
            ListValue => OfLists,
            FloatValue or IntValue => OfNumbers,
            _ => null,
        };
        if (table is not null && table.TryGetValue(name, out var method))
        {
            return new FunctionValue(name, (run, arguments) => method.Call(run, arguments with { Positional = [owner, .. arguments.Positional] }));
        }

        return owner is ListValue { IsTuple: false } or MapValue && Array.IndexOf(Changing, name) is >= 0 and var at && IsOf(owner, at)
            ? new FunctionValue(name, (_, _) => throw new TemplateException(
                TemplateFault.Security, $"access to attribute '{name}' of '{owner.TypeName}' object is unsafe."))
            : null;
    }

    /// <summary>The pairs of a mapping.</summary>
    public static ViewValue Items(RenderRun run, MapValue map)
    {
        run.MakeItems(3L * map.Entries.Count);
        return new ViewValue("dict_items", [.. map.Entries.Select(e => new ListValue([e.Key, e.Value], isTuple: true))]);
    }

    public static Dictionary<string, FunctionValue> Table(params FunctionValue[] functions) => functions.ToDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>Whether Python's type has the changing method: lists up to <c>sort</c>, mappings <c>clear</c>, <c>pop</c> and the rest.</summary>
    private static bool IsOf(TemplateValue owner, int at) => owner is ListValue ? at <= 7 : Changing[at] is "clear" or "pop" || at > 7;
}
