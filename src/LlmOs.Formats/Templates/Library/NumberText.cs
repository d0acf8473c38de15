using System.Globalization;
using System.Numerics;
using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Numbers as digits.</summary>
internal static class NumberText
{
    private const int MaxDecimals = 1_000;

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
        digits = spec.Precision is { } min ? digits.PadLeft(Bounded(min), '0') : digits;
        digits = spec.Grouped ? Group(digits, kind == 'd' ? 3 : 4, spec.Separator) : digits;
        var prefix = spec.Alternate && kind != 'd' ? "0" + kind : "";
        return (SignOf(value.Sign < 0, spec) + prefix, digits);
    }

    public static (string Sign, string Digits) OfReal(RenderRun run, double value, char kind, FieldSpec spec)
    {
        var precision = Bounded(spec.Precision ?? 6);
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

    private static int Bounded(int digits) => digits <= MaxDecimals
        ? digits
        : throw TemplateException.Limit($"The template formats a number with {digits} digits; at most {MaxDecimals} are written.");

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
