using System.Globalization;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Python's <c>text.format(values)</c>, with members and items of values but without fields within a field's own format.</summary>
internal static class BraceFormat
{
    public static TextValue Apply(RenderRun run, TextValue format, IReadOnlyList<TemplateValue> values, IReadOnlyList<KeyValuePair<string, TemplateValue>> named)
    {
        var output = new TextOutput(run);
        var text = format.Text;
        var next = 0;
        for (var at = 0; at < text.Length;)
        {
            var brace = text.AsSpan(at).IndexOfAny('{', '}');
            output.Append(format, at, brace < 0 ? text.Length - at : brace);
            if (brace < 0)
            {
                break;
            }

            at += brace;
            if (at + 1 < text.Length && text[at + 1] == text[at])
            {
                output.Append(format, at, 1);
                at += 2;
                continue;
            }

            var close = text[at] == '{' ? text.IndexOf('}', at) : -1;
            if (close < 0)
            {
                throw TemplateException.Value(text[at] == '{' ? "expected '}' before end of string" : "Single '}' encountered in format string");
            }

            output.Append(Field(run, text[(at + 1)..close], () => next++, values, named));
            at = close + 1;
        }

        return output.ToText(format.IsMarkup);
    }

    private static TextValue Field(
        RenderRun run, string field, Func<int> next, IReadOnlyList<TemplateValue> values, IReadOnlyList<KeyValuePair<string, TemplateValue>> named)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (path, spec) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
        var mark = path.IndexOf('!', StringComparison.Ordinal);
        var conversion = mark < 0 ? "" : path[(mark + 1)..];
        path = mark < 0 ? path : path[..mark];
        var nameEnd = path.AsSpan().IndexOfAny('.', '[');
        var name = nameEnd < 0 ? path : path[..nameEnd];

        TemplateValue value;
        if (name.Length == 0 || name.All(char.IsAsciiDigit))
        {
            var index = name.Length == 0 ? next() : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : int.MaxValue;
            value = index < values.Count ? values[index] : throw TemplateException.Value("Replacement index out of range for positional args tuple");
        }
        else
        {
            value = named.LastOrDefault(n => n.Key == name).Value ?? throw TemplateException.Value(PythonRepr.Quote(name));
        }

        value = Follow(run, value, nameEnd < 0 ? "" : path[nameEnd..]);
        return conversion switch
        {
            "" => Show(run, value, spec),
            "s" => Show(run, PythonRepr.TextOf(run, value), spec),
            "r" or "a" => Show(run, PythonRepr.Of(run, value), spec),
            _ => throw TemplateException.Value($"Unknown conversion specifier {conversion}"),
        };
    }

    private static TemplateValue Follow(RenderRun run, TemplateValue value, string path)
    {
        while (path.Length > 0)
        {
            run.Step();
            if (path[0] == '.')
            {
                var end = path.AsSpan(1).IndexOfAny('.', '[') is >= 0 and var at ? at + 1 : path.Length;
                value = Members.Attribute(value, path[1..end]);
                path = path[end..];
            }
            else
            {
                var end = path[0] == '[' ? path.IndexOf(']', StringComparison.Ordinal) : -1;
                var key = end < 0 ? throw TemplateException.Value("Missing ']' in format string") : path[1..end];
                value = Members.Item(run, value, int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? IntValue.Of(index) : TextValue.Of(key));
                path = path[(end + 1)..];
            }
        }

        return value is UndefinedValue undefined ? throw undefined.Fault() : value;
    }

    private static TextValue Show(RenderRun run, TemplateValue value, string spec)
    {
        if (spec.Length == 0)
        {
            return PythonRepr.TextOf(run, value);
        }

        var (field, kind) = Read(spec);
        switch (value)
        {
            case TextValue text when kind is '\0' or 's':
                return field.Fit(run, field.Precision is { } max && max < text.Length ? text.Cut(0, text.UnitOf(max)) : text, isNumber: false);
            case IntValue or BoolValue when kind is '\0' or 'd' or 'x' or 'X' or 'o' or 'b':
                return field.Number(run, NumberText.OfWhole(PythonOperators.Whole(value)!.Value, kind == '\0' ? 'd' : kind, field with { Precision = null }));
            case FloatValue or IntValue or BoolValue when kind is 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%':
                return field.Number(run, NumberText.OfReal(run, PythonOperators.Number(value)!.Value, kind, field));
            case FloatValue number when kind == '\0':
                return field.Number(run, field.Precision is null
                    ? (number.Value < 0 ? "-" : "", PythonRepr.OfFloat(Math.Abs(number.Value)))
                    : NumberText.OfReal(run, number.Value, 'g', field));
            default:
                throw TemplateException.Value($"Unknown format code '{kind}' for object of type '{value.TypeName}'");
        }
    }

    private static (FieldSpec Field, char Kind) Read(string spec)
    {
        var at = 0;
        var (fill, align) = (" ", (char?)null);
        if (spec.Length > 1 && spec[1] is '<' or '>' or '^' or '=')
        {
            (fill, align, at) = (spec[..1], spec[1], 2);
        }
        else if (spec[0] is '<' or '>' or '^' or '=')
        {
            (align, at) = (spec[0], 1);
        }

        var sign = at < spec.Length && spec[at] is '+' or '-' or ' ' ? spec[at++] : '-';
        var alternate = at < spec.Length && spec[at] == '#';
        at += alternate ? 1 : 0;
        if (at < spec.Length && spec[at] == '0' && align is null)
        {
            (fill, align) = ("0", '=');
        }

        var width = FieldSpec.ReadDigits(spec, ref at) ?? 0;
        var separator = at < spec.Length && spec[at] is ',' or '_' ? spec[at++] : '\0';
        int? precision = null;
        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            precision = FieldSpec.ReadDigits(spec, ref at) ?? throw TemplateException.Value("Format specifier missing precision");
        }

        var kind = at < spec.Length ? spec[at++] : '\0';
        return at == spec.Length
            ? (new FieldSpec(fill, align, sign, alternate, width, separator != '\0', separator, precision), kind)
            : throw TemplateException.Value("Invalid format specifier");
    }
}
