using System.Globalization;
using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Values as Python's <c>repr</c> and <c>str</c> write them.</summary>
internal static class PythonRepr
{
    /// <summary><c>str(value)</c></summary>
    public static TextValue TextOf(RenderRun run, TemplateValue value)
    {
        if (value is TextValue text)
        {
            return text;
        }

        var output = new TextOutput(run);
        value.WriteText(output);
        return output.ToText();
    }

    /// <summary><c>repr(value)</c></summary>
    public static TextValue Of(RenderRun run, TemplateValue value)
    {
        var output = new TextOutput(run);
        value.WriteRepr(output);
        return output.ToText();
    }

    /// <summary>The shortest digits that mean the number, with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string OfFloat(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var (mantissa, exponent) = Parts(value.ToString("R", CultureInfo.InvariantCulture));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is >= -4 and < 16)
        {
            var text = exponent < 0 ? "0." + new string('0', -exponent - 1) + mantissa
                : mantissa.Length <= exponent + 1 ? mantissa.PadRight(exponent + 1, '0') + ".0"
                : mantissa[..(exponent + 1)] + "." + mantissa[(exponent + 1)..];
            return sign + text;
        }

        var fraction = mantissa.Length > 1 ? "." + mantissa[1..] : "";
        return $"{sign}{mantissa[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>A text in quotes, for messages.</summary>
    public static string Quote(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(Escaped(rune, quote) ?? rune.ToString());
        }

        return result.Append(quote).ToString();
    }

    public static void WriteText(TextValue text, TextOutput output)
    {
        output.Append(text.IsMarkup ? "Markup(" : "");
        var quote = text.Text.Contains('\'', StringComparison.Ordinal) && !text.Text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        output.Append(quote == '"' ? "\"" : "'");
        var copied = 0;
        for (var at = 0; at < text.Text.Length;)
        {
            Rune.DecodeFromUtf16(text.Text.AsSpan(at), out var rune, out var units);
            if (Escaped(rune, quote) is { } escaped)
            {
                output.Append(text, copied, at - copied);
                output.Append(escaped, text.IsUser(at));
                copied = at + units;
            }

            at += units;
        }

        output.Append(text, copied, text.Text.Length - copied);
        output.Append(quote == '"' ? "\"" : "'");
        output.Append(text.IsMarkup ? ")" : "");
    }

    private static string? Escaped(Rune rune, char quote) => rune.Value switch
    {
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        var value when value == quote => "\\" + quote,
        _ when PythonText.IsPrintable(rune) => null,
        < 0x100 => $"\\x{rune.Value:x2}",
        < 0x10000 => $"\\u{rune.Value:x4}",
        _ => $"\\U{rune.Value:x8}",
    };

    /// <summary>The significant digits, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Parts(string number)
    {
        var unsigned = number.TrimStart('-');
        var at = unsigned.IndexOf('E', StringComparison.Ordinal);
        var exponent = at < 0 ? 0 : int.Parse(unsigned.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = at < 0 ? unsigned : unsigned[..at];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        exponent += (point < 0 ? mantissa.Length : point) - 1;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        return digits.Length == 0 ? ("0", 0) : (digits.TrimEnd('0') is { Length: > 0 } trimmed ? trimmed : "0", exponent - (all.Length - digits.Length));
    }
}
