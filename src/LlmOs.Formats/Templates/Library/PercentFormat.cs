using System.Numerics;
using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Python's <c>text % values</c>.</summary>
internal static class PercentFormat
{
    public static TextValue Apply(RenderRun run, TextValue format, TemplateValue values)
    {
        IReadOnlyList<TemplateValue> items = values is ListValue { IsTuple: true } tuple ? tuple.List : [values];
        var (taken, byName) = (0, false);
        var output = new TextOutput(run);
        var text = format.Text;
        for (var at = 0; at < text.Length;)
        {
            var sign = text.IndexOf('%', at);
            output.Append(format, at, (sign < 0 ? text.Length : sign) - at);
            if (sign < 0)
            {
                break;
            }

            at = sign + 1;
            TemplateValue? value = null;
            if (at < text.Length && text[at] == '(')
            {
                var close = text.IndexOf(')', at);
                var name = close < 0 ? throw TemplateException.Value("incomplete format key") : text[(at + 1)..close];
                byName = true;
                value = (values as MapValue ?? throw TemplateException.Type("format requires a mapping")).Find(name)
                    ?? throw TemplateException.Value(PythonRepr.Quote(name));
                at = close + 1;
            }

            var spec = FieldSpec.ReadPercent(text, ref at, Next);
            if (at == text.Length)
            {
                throw TemplateException.Value("incomplete format");
            }

            var kind = text[at++];
            if (kind == '%')
            {
                output.Append("%");
                continue;
            }

            value ??= Next();
            output.Append(Show(run, value, kind, spec));
        }

        return !byName && taken < items.Count && values is not MapValue
            ? throw TemplateException.Type("not all arguments converted during string formatting")
            : output.ToText(format.IsMarkup);

        TemplateValue Next() => taken < items.Count ? items[taken++] : throw TemplateException.Type("not enough arguments for format string");
    }

    private static TextValue Show(RenderRun run, TemplateValue value, char kind, FieldSpec spec)
    {
        switch (kind)
        {
            case 's':
                return spec.Fit(run, Cut(PythonRepr.TextOf(run, value)), isNumber: false);
            case 'r' or 'a':
                return spec.Fit(run, Cut(PythonRepr.Of(run, value)), isNumber: false);
            case 'c' when value is TextValue { Length: 1 } character:
                return spec.Fit(run, character, isNumber: false);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'c':
                var whole = value is FloatValue real && double.IsFinite(real.Value) && kind is 'd' or 'i' or 'u'
                    ? new BigInteger(((FloatValue)value).Value)
                    : PythonOperators.Whole(value) ?? throw TemplateException.Type($"%{kind} format: a real number is required, not {value.TypeName}");
                return kind == 'c'
                    ? spec.Fit(run, TextValue.Of(Character(whole)), isNumber: false)
                    : spec.Number(run, NumberText.OfWhole(whole, kind is 'i' or 'u' ? 'd' : kind, spec));
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                var number = PythonOperators.Number(value) ?? throw TemplateException.Type($"must be real number, not {value.TypeName}");
                return spec.Number(run, NumberText.OfReal(run, number, kind, spec));
            default:
                throw TemplateException.Value($"unsupported format character '{kind}' (0x{(int)kind:x})");
        }

        static string Character(BigInteger code) => code >= 0 && code < 0x110000 && Rune.IsValid((int)code)
            ? new Rune((int)code).ToString()
            : throw TemplateException.Value("%c arg not in range(0x110000)");

        TextValue Cut(TextValue text) => spec.Precision is { } max && max < text.Length ? text.Cut(0, text.UnitOf(max)) : text;
    }
}
