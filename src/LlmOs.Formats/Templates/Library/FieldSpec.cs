using System.Numerics;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>How a value fills its field, for both of Python's ways to format.</summary>
/// <param name="Align"><c>&lt;</c>, <c>&gt;</c>, <c>^</c> or <c>=</c>; null for what the type does.</param>
internal sealed record FieldSpec(string Fill, char? Align, char Sign, bool Alternate, int Width, bool Grouped, char Separator, int? Precision)
{
    private const int MaxWidth = 1 << 20;

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
            value = (value * 10) + text[at] - '0';
            if (value > MaxWidth)
            {
                throw TooWide();
            }
        }

        return at > start ? value : null;
    }

    private static int? ReadStarOrDigits(string text, ref int at, Func<TemplateValue> next)
    {
        if (at < text.Length && text[at] == '*')
        {
            at++;
            var whole = PythonOperators.Whole(next()) ?? throw TemplateException.Type("* wants int");
            return BigInteger.Abs(whole) <= MaxWidth ? (int)whole : throw TooWide();
        }

        return ReadDigits(text, ref at);
    }

    private static TemplateException TooWide() => TemplateException.Limit($"The template formats a value with a width or a precision of more than {MaxWidth}.");
}
