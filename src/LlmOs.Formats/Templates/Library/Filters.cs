using System.Globalization;
using System.Numerics;
using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>What may stand behind <c>|</c>: Jinja's filters, without those for web pages and chance.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, FunctionValue> Known = Make();

    public static FunctionValue? Find(string name) => Known.GetValueOrDefault(name);

    private static Dictionary<string, FunctionValue> Make()
    {
        var known = new Dictionary<string, FunctionValue>(StringComparer.Ordinal);
        foreach (var filter in OfValues().Concat(OfTexts()).Concat(SequenceFilters.All()).Concat(SelectingFilters.All()))
        {
            known.Add(filter.Name, filter);
        }

        foreach (var (alias, name) in new[] { ("d", "default"), ("e", "escape"), ("count", "length") })
        {
            known.Add(alias, known[name]);
        }

        return known;
    }

    private static IEnumerable<FunctionValue> OfValues() =>
    [
        Signature.Define("default", "value default_value? boolean?", (_, a) =>
            a[0] is UndefinedValue || (a.Flag(2, false) && !a[0].IsTrue) ? a.Maybe(1) ?? TextValue.Empty : a[0]),
        Signature.Define("string", "value", (run, a) => PythonRepr.TextOf(run, a[0])),
        Signature.Define("tojson", "value ensure_ascii? indent? separators? sort_keys?", (run, a) => JsonText.Of(run, a[0], Style(run, a))),
        Signature.Define("attr", "value name", (run, a) => Methods.Find(a[0], a.Text(1).Text)
            ?? (a[0] is NamespaceValue or LoopValue ? Members.Attribute(a[0], a.Text(1).Text) : UndefinedValue.Member(a[0], a.Text(1).Text))),
        Signature.Define("abs", "value", (_, a) => a[0] switch
        {
            FloatValue number => new FloatValue(Math.Abs(number.Value)),
            UndefinedValue undefined => throw undefined.Fault(),
            var value => PythonOperators.Whole(value) is { } whole ? IntValue.Of(BigInteger.Abs(whole)) : throw TemplateException.Type($"bad operand type for abs(): '{value.TypeName}'"),
        }),
        Signature.Define("int", "value default? base?", (_, a) => ToInt(a[0], a.Whole(2, 10)) is { } whole ? IntValue.Of(whole) : a.Maybe(1) ?? IntValue.Of(0)),
        Signature.Define("float", "value default?", (_, a) => ToFloat(a[0]) is { } number ? new FloatValue(number) : a.Maybe(1) ?? new FloatValue(0)),
        Signature.Define("round", "value precision? method?", (run, a) => Round(a[0], a.Whole(1, 0), a.MaybeText(2)?.Text ?? "common")),
    ];

    private static IEnumerable<FunctionValue> OfTexts() =>
    [
        Respelling("upper", Casing.Upper),
        Respelling("lower", Casing.Lower),
        Respelling("capitalize", Casing.Capitalize),
        Respelling("title", TitleWords),
        Signature.Define("trim", "value chars?", (run, a) => Texts.Strip(run, Text(run, a), a.MaybeText(1), start: true, end: true)),
        Signature.Define("replace", "s old new count?", (run, a) => Texts.Replace(
            run, Text(run, a).AsPlain(), PythonRepr.TextOf(run, a[1]), PythonRepr.TextOf(run, a[2]), a.Whole(3, -1))),
        Signature.Define("indent", "s width? first? blank?", (run, a) => Texts.Indent(
            run, a.Text(0), a.Maybe(1) is TextValue by ? by : Blanks(run, a.Whole(1, 4)), a.Flag(2, false), a.Flag(3, false))),
        Signature.Define("center", "value width?", (run, a) => Texts.Pad(run, Text(run, a), a.Whole(1, 80), TextValue.Of(" "), left: true, right: true)),
        Signature.Define("truncate", "s length? killwords? end? leeway?", Truncate),
        Signature.Define("format", "value *", (run, a) => PercentFormat.Apply(run, Text(run, a), a.Named.Count > 0
            ? new MapValue(a.Named.Select(n => new KeyValuePair<TemplateValue, TemplateValue>(TextValue.Of(n.Key), n.Value)))
            : new ListValue(a.Rest, isTuple: true))),
        Signature.Define("wordcount", "s", (run, a) => IntValue.Of(CountWords(run, Text(run, a).Text))),
        Signature.Define("safe", "value", (run, a) => Text(run, a).AsMarkup()),
        Signature.Define("escape", "value", (run, a) => Text(run, a) is { IsMarkup: true } safe ? safe : HtmlText.Escape(run, Text(run, a))),
        Signature.Define("forceescape", "value", (run, a) => HtmlText.Escape(run, Text(run, a))),
        Signature.Define("striptags", "value", (run, a) => HtmlText.StripTags(run, Text(run, a))),
        Signature.Define("urlencode", "value", UrlEncode),
    ];

    private static FunctionValue Respelling(string name, Func<string, string> respell) => Signature.Define(name, "s", (run, a) =>
    {
        var text = Text(run, a);
        run.Make(text.Text.Length);
        return text.Respelt(respell(text.Text));
    });

    private static TextValue Text(RenderRun run, Given a) => PythonRepr.TextOf(run, a[0]);

    private static TextValue Blanks(RenderRun run, int count)
    {
        run.Make(Math.Max(0, count));
        return TextValue.Of(new string(' ', Math.Max(0, count)));
    }

    private static JsonStyle Style(RenderRun run, Given a)
    {
        var indent = a.Maybe(2) switch
        {
            null or NoneValue => null,
            TextValue text => text.Text,
            _ => Blanks(run, a.Whole(2, 0)).Text,
        };
        var (item, key) = indent is null ? (", ", ": ") : (",", ": ");
        if (a.Maybe(3) is { } separators and not NoneValue)
        {
            (item, key) = Iteration.All(run, separators) is [TextValue first, TextValue second]
                ? (first.Text, second.Text)
                : throw TemplateException.Value("separators must be two strings");
        }

        return new JsonStyle(a.Flag(1, false), indent, item, key, a.Flag(4, false));
    }

    private static BigInteger? ToInt(TemplateValue value, int numberBase)
    {
        switch (value)
        {
            case UndefinedValue undefined:
                throw undefined.Fault();
            case FloatValue number:
                return double.IsFinite(number.Value) ? new BigInteger(number.Value) : null;
            case TextValue text:
                var digits = text.Text.Trim().Replace("_", "", StringComparison.Ordinal);
                return digits.Length is 0 or > 4_300 ? null
                    : numberBase == 10 && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole
                    : numberBase == 16 && BigInteger.TryParse("0" + WithoutPrefix(digits, "0x"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? hex
                    : numberBase == 2 && BigInteger.TryParse("0" + WithoutPrefix(digits, "0b"), NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out var bits) ? bits
                    : numberBase == 10 && ToFloat(text) is { } real && double.IsFinite(real) ? new BigInteger(real)
                    : null;
            default:
                return PythonOperators.Whole(value);
        }
    }

    private static string WithoutPrefix(string digits, string prefix) => digits.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? digits[2..] : digits;

    private static double? ToFloat(TemplateValue value) => value switch
    {
        UndefinedValue undefined => throw undefined.Fault(),
        TextValue text => text.Text.Trim().ToLowerInvariant() switch
        {
            "inf" or "+inf" or "infinity" or "+infinity" => double.PositiveInfinity,
            "-inf" or "-infinity" => double.NegativeInfinity,
            "nan" or "+nan" or "-nan" => double.NaN,
            var digits => double.TryParse(digits.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
        },
        _ => PythonOperators.Number(value),
    };

    private static TemplateValue Round(TemplateValue value, int precision, string method)
    {
        if (value is UndefinedValue undefined)
        {
            throw undefined.Fault();
        }

        var number = PythonOperators.Number(value) ?? throw TemplateException.Type($"type {value.TypeName} doesn't define __round__ method");
        var scale = Math.Pow(10, precision);
        switch (method)
        {
            case "common" when value is not FloatValue:
                return precision >= 0 ? value : new FloatValue(Math.Round(number * scale, MidpointRounding.ToEven) / scale) is { } rounded ? IntValue.Of(new BigInteger(rounded.Value)) : value;
            case "common" when precision is >= 0 and <= 15:
                return new FloatValue(double.Parse(number.ToString("F" + precision, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) is var exact && double.IsFinite(number) ? exact : number);
            case "common":
                return new FloatValue(precision > 15 ? number : Math.Round(number * scale, MidpointRounding.ToEven) / scale);
            case "ceil":
                return new FloatValue(Math.Ceiling(number * scale) / scale);
            case "floor":
                return new FloatValue(Math.Floor(number * scale) / scale);
            default:
                throw TemplateException.Value("method must be common, ceil or floor");
        }
    }

    /// <summary>Every word large; words begin behind blanks, hyphens and opening brackets, and each is put into its case by itself.</summary>
    private static string TitleWords(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var isBetween = IsBetweenWords(text[start]);
            var end = start + 1;
            while (end < text.Length && IsBetweenWords(text[end]) == isBetween)
            {
                end++;
            }

            var first = char.IsHighSurrogate(text[start]) && start + 1 < end ? 2 : 1;
            result.Append(Casing.Upper(text.Substring(start, first))).Append(Casing.Lower(text[(start + first)..end]));
            start = end;
        }

        return result.ToString();
    }

    private static bool IsBetweenWords(char c) => PythonText.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<';

    private static TextValue Truncate(RenderRun run, Given a)
    {
        var text = a.Text(0);
        var end = a.MaybeText(3) ?? TextValue.Of("...");
        var (length, leeway) = (a.Whole(1, 255), a.Whole(4, 5));
        if (length < end.Length || leeway < 0)
        {
            throw TemplateException.Value($"expected length >= {end.Length}, got {length}");
        }

        if (text.Length <= (long)length + leeway)
        {
            return text;
        }

        run.Make(text.Text.Length);
        var cut = text.Cut(0, text.UnitOf(length - end.Length!.Value));
        var blank = a.Flag(2, false) ? -1 : cut.Text.LastIndexOf(' ');
        return PythonOperators.Join(run, blank < 0 ? cut : cut.Cut(0, blank), end);
    }

    private static long CountWords(RenderRun run, string text)
    {
        run.Scan(text.Length);
        var count = 0L;
        for (var at = 0; at < text.Length; at++)
        {
            count += IsWord(text[at]) && (at == 0 || !IsWord(text[at - 1])) ? 1 : 0;
        }

        return count;

        static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';
    }

    private static TextValue UrlEncode(RenderRun run, Given a)
    {
        if (a[0] is MapValue map)
        {
            return Texts.Join(run, map.Entries.Select(e => (TemplateValue)Texts.Join(run, [Encode(e.Key, true), Encode(e.Value, true)], TextValue.Of("="))), TextValue.Of("&"));
        }

        return Encode(a[0], forQuery: false);

        TextValue Encode(TemplateValue value, bool forQuery)
        {
            var text = PythonRepr.TextOf(run, value);
            run.Make(9L * text.Text.Length);
            var encoded = Uri.EscapeDataString(text.Text);
            return TextValue.From(
                forQuery ? encoded.Replace("%20", "+", StringComparison.Ordinal) : encoded.Replace("%2F", "/", StringComparison.Ordinal), text.HasUser);
        }
    }
}
