using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Templates.Syntax;

/// <summary>Python's escapes in quoted texts.</summary>
internal static class TextEscapes
{
    /// <summary>Adds what an escape stands for and gives the place behind it. An unknown one stays with its backslash.</summary>
    /// <param name="at">The place behind the backslash.</param>
    public static int Undo(string source, int at, StringBuilder text, Func<string, TemplateException> fault)
    {
        var kind = source[at++];
        switch (kind)
        {
            case '\n':
                return at;
            case '\\' or '\'' or '"':
                text.Append(kind);
                return at;
            case 'x':
                return AppendHex(source, at, 2, text, fault);
            case 'u':
                return AppendHex(source, at, 4, text, fault);
            case 'U':
                return AppendHex(source, at, 8, text, fault);
            case >= '0' and <= '7':
                var value = kind - '0';
                for (var digits = 1; digits < 3 && at < source.Length && source[at] is >= '0' and <= '7'; digits++)
                {
                    value = (value * 8) + source[at++] - '0';
                }

                text.Append((char)value);
                return at;
        }

        const string Letters = "abfnrtv", Values = "\a\b\f\n\r\t\v";
        var which = Letters.IndexOf(kind, StringComparison.Ordinal);
        _ = which >= 0 ? text.Append(Values[which]) : text.Append('\\').Append(kind);
        return at;
    }

    private static int AppendHex(string source, int at, int digits, StringBuilder text, Func<string, TemplateException> fault)
    {
        if (at + digits > source.Length
            || !int.TryParse(source.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar)
            || scalar is < 0 or > 0x10FFFF)
        {
            throw fault("a text holds an escape that is cut short or stands for no character");
        }

        _ = scalar > 0xFFFF ? text.Append(char.ConvertFromUtf32(scalar)) : text.Append((char)scalar);
        return at + digits;
    }
}
