using System.Globalization;
using System.Numerics;
using LlmOs.Engine.Text.Templates.Running;
using LlmOs.Engine.Text.Templates.Values;

namespace LlmOs.Engine.Text.Templates.Library;

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
                    ? spec.Fit(run, TextValue.Of(char.ConvertFromUtf32((int)BigInteger.Min(BigInteger.Max(whole, 1), 0xD7FF))), isNumber: false)
                    : spec.Number(run, NumberText.OfWhole(whole, kind is 'i' or 'u' ? 'd' : kind, spec));
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                var number = PythonOperators.Number(value) ?? throw TemplateException.Type($"must be real number, not {value.TypeName}");
                return spec.Number(run, NumberText.OfReal(run, number, kind, spec));
            default:
                throw TemplateException.Value($"unsupported format character '{kind}' (0x{(int)kind:x})");
        }

        TextValue Cut(TextValue text) => spec.Precision is { } most && most < text.Length ? text.Cut(0, text.UnitOf(most)) : text;
    }
}

/// <summary>How a value fills its field, for both of Python's ways to format.</summary>
/// <param name="Align"><c>&lt;</c>, <c>&gt;</c>, <c>^</c> or <c>=</c>; null for what the type does.</param>
internal sealed record FieldSpec(string Fill, char? Align, char Sign, bool Alternate, int Width, bool Grouped, char Separator, int? Precision)
{
    private const int Widest = 1 << 20;

    public static FieldSpec ReadPercent(string text, ref int at, Func<TemplateValue> next)
    {
        var (left, zero, alternate, sign) = (false, false, false, '-');
        for (; at < text.Length && text[at] is '-' or '0' or '#' or '+' or ' '; at++)
        {
            left |= text[at] == '-';
            zero |= text[at] == '0';
            alternate |= text[at] == '#';
            sign = text[at] == '+' ? '+' : text[at] == ' ' && sign != '+' ? ' ' : sign;
        }

        var width = ReadStarOrDigits(text, ref at, next) ?? 0;
        int? precision = null;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            precision = ReadStarOrDigits(text, ref at, next) ?? 0;
        }

        while (at < text.Length && text[at] is 'l' or 'h' or 'L')
        {
            at++;
        }

        left |= width < 0;
        return new FieldSpec(zero && !left ? "0" : " ", left ? '<' : zero ? '=' : '>', sign, alternate, Math.Abs(width), false, ',', precision);
    }

    /// <summary>A number with its sign apart from its digits.</summary>
    public TextValue Number(RenderRun run, (string Sign, string Digits) number) => Align is '=' && Width > number.Sign.Length + number.Digits.Length
        ? TextValue.Of(number.Sign + Fit(run, TextValue.Of(number.Digits), true, Width - number.Sign.Length).Text)
        : Fit(run, TextValue.Of(number.Sign + number.Digits), isNumber: true);

    public TextValue Fit(RenderRun run, TextValue text, bool isNumber) => Fit(run, text, isNumber, Width);

    private TextValue Fit(RenderRun run, TextValue text, bool isNumber, int width)
    {
        var align = Align ?? (isNumber ? '>' : '<');
        var (left, right) = align switch { '<' => (false, true), '^' => (true, true), _ => (true, false) };
        if (width <= text.Length)
        {
            return text;
        }

        // Python centres with the odd blank behind; str.center has its own rule.
        var missing = width - text.Length!.Value;
        var before = left && right ? missing / 2 : left ? missing : 0;
        var padded = Texts.Pad(run, text, text.Length!.Value + before, TextValue.Of(Fill), left: true, right: false);
        return Texts.Pad(run, padded, width, TextValue.Of(Fill), left: false, right: true);
    }

    public static int? ReadDigits(string text, ref int at)
    {
        var start = at;
        var value = 0;
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
        {
            value = Math.Min((value * 10) + text[at] - '0', Widest);
        }

        return at > start ? value : null;
    }

    private static int? ReadStarOrDigits(string text, ref int at, Func<TemplateValue> next)
    {
        if (at < text.Length && text[at] == '*')
        {
            at++;
            return PythonOperators.Whole(next()) is { } whole
                ? (int)BigInteger.Min(BigInteger.Max(whole, -Widest), Widest)
                : throw TemplateException.Type("* wants int");
        }

        return ReadDigits(text, ref at);
    }
}

/// <summary>Numbers as digits.</summary>
internal static class NumberText
{
    private const int MostDecimals = 1_000;

    public static (string Sign, string Digits) OfWhole(BigInteger value, char kind, FieldSpec spec)
    {
        var magnitude = BigInteger.Abs(value);
        var digits = kind switch
        {
            'd' => magnitude.ToString(CultureInfo.InvariantCulture),
            'x' => ToBase(magnitude, 16),
            'X' => ToBase(magnitude, 16).ToUpperInvariant(),
            'o' => ToBase(magnitude, 8),
            _ => ToBase(magnitude, 2),
        };
        digits = spec.Precision is { } least && least <= MostDecimals ? digits.PadLeft(least, '0') : digits;
        digits = spec.Grouped ? Group(digits, kind == 'd' ? 3 : 4, spec.Separator) : digits;
        var prefix = spec.Alternate && kind != 'd' ? "0" + kind : "";
        return (SignOf(value.Sign < 0, spec) + prefix, digits);
    }

    public static (string Sign, string Digits) OfReal(RenderRun run, double value, char kind, FieldSpec spec)
    {
        var precision = Math.Min(spec.Precision ?? 6, MostDecimals);
        run.Make(400 + precision);
        var magnitude = Math.Abs(value);
        var digits = !double.IsFinite(value) ? double.IsNaN(value) ? "nan" : "inf" : char.ToLowerInvariant(kind) switch
        {
            'f' => magnitude.ToString("F" + precision, CultureInfo.InvariantCulture),
            'e' => Exponential(magnitude, precision),
            '%' => (magnitude * 100).ToString("F" + precision, CultureInfo.InvariantCulture) + "%",
            _ => General(magnitude, Math.Max(precision, 1), spec.Alternate),
        };
        if (spec.Grouped && digits.IndexOfAny(['e', 'n']) < 0)
        {
            var point = digits.IndexOf('.', StringComparison.Ordinal);
            digits = Group(point < 0 ? digits : digits[..point], 3, spec.Separator) + (point < 0 ? "" : digits[point..]);
        }

        return (SignOf(double.IsNegative(value) && !double.IsNaN(value), spec), char.IsUpper(kind) ? digits.ToUpperInvariant() : digits);
    }

    private static string SignOf(bool negative, FieldSpec spec) => negative ? "-" : spec.Sign == '-' ? "" : spec.Sign.ToString();

    private static string Exponential(double value, int precision)
    {
        var text = value.ToString("e" + precision, CultureInfo.InvariantCulture);
        var at = text.IndexOf('e', StringComparison.Ordinal);
        return $"{text[..(at + 2)]}{int.Parse(text.AsSpan(at + 2), NumberStyles.None, CultureInfo.InvariantCulture):00}";
    }

    /// <summary>So many significant digits, with an exponent where the number is very large or small.</summary>
    private static string General(double value, int precision, bool keepZeros)
    {
        var scientific = Exponential(value, precision - 1);
        var at = scientific.IndexOf('e', StringComparison.Ordinal);
        var exponent = int.Parse(scientific.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var isPlain = exponent >= -4 && exponent < precision;
        var mantissa = isPlain ? value.ToString("F" + Math.Max(0, precision - 1 - exponent), CultureInfo.InvariantCulture) : scientific[..at];
        mantissa = !keepZeros && mantissa.Contains('.', StringComparison.Ordinal) ? mantissa.TrimEnd('0').TrimEnd('.') : mantissa;
        return isPlain ? mantissa : mantissa + scientific[at..];
    }

    private static string ToBase(BigInteger value, int numberBase)
    {
        if (value.IsZero)
        {
            return "0";
        }

        var digits = new Stack<char>();
        for (; !value.IsZero; value /= numberBase)
        {
            digits.Push("0123456789abcdef"[(int)(value % numberBase)]);
        }

        return new string([.. digits]);
    }

    private static string Group(string digits, int size, char separator)
    {
        var first = digits.Length % size;
        var groups = new List<string>();
        if (first > 0)
        {
            groups.Add(digits[..first]);
        }

        for (var at = first; at < digits.Length; at += size)
        {
            groups.Add(digits.Substring(at, size));
        }

        return string.Join(separator, groups);
    }
}
