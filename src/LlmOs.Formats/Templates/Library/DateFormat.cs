using System.Globalization;
using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Python's <c>strftime</c> in the C locale, with glibc's <c>%-d</c> for digits without a leading zero.</summary>
internal static class DateFormat
{
    public static TextValue Apply(RenderRun run, DateTimeOffset now, TextValue format)
    {
        run.Make(format.Text.Length);
        var text = new StringBuilder();
        for (var at = 0; at < format.Text.Length; at++)
        {
            if (format.Text[at] != '%' || at + 1 == format.Text.Length)
            {
                text.Append(format.Text[at]);
                continue;
            }

            var plain = format.Text[at + 1] == '-' && at + 2 < format.Text.Length;
            at += plain ? 2 : 1;
            var part = Part(now, format.Text[at]) ?? (plain ? "%-" : "%") + format.Text[at];
            run.Extend(part.Length, text.Length + (long)part.Length);
            text.Append(plain && part.Length > 1 && char.IsAsciiDigit(part[0]) ? part.TrimStart('0') is { Length: > 0 } digits ? digits : "0" : part);
        }

        return TextValue.From(text.ToString(), format.HasUser);
    }

    private static string? Part(DateTimeOffset now, char kind)
    {
        return kind switch
        {
            'Y' => Shown("yyyy"),
            'y' => Shown("yy"),
            'C' => (now.Year / 100).ToString("00", CultureInfo.InvariantCulture),
            'm' => Shown("MM"),
            'd' => Shown("dd"),
            'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'b' or 'h' => Shown("MMM"),
            'B' => Shown("MMMM"),
            'a' => Shown("ddd"),
            'A' => Shown("dddd"),
            'H' => Shown("HH"),
            'I' => Shown("hh"),
            'k' => now.Hour.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'l' => Shown("hh").TrimStart('0').PadLeft(2),
            'M' => Shown("mm"),
            'S' => Shown("ss"),
            'f' => Shown("ffffff"),
            'p' => now.Hour < 12 ? "AM" : "PM",
            'P' => now.Hour < 12 ? "am" : "pm",
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'u' => (((int)now.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
            'U' => ((now.DayOfYear + 6 - (int)now.DayOfWeek) / 7).ToString("00", CultureInfo.InvariantCulture),
            'W' => ((now.DayOfYear + 6 - (((int)now.DayOfWeek + 6) % 7)) / 7).ToString("00", CultureInfo.InvariantCulture),
            'G' => ISOWeek.GetYear(now.DateTime).ToString("0000", CultureInfo.InvariantCulture),
            'V' => ISOWeek.GetWeekOfYear(now.DateTime).ToString("00", CultureInfo.InvariantCulture),
            'D' or 'x' => Shown("MM'/'dd'/'yy"),
            'F' => Shown("yyyy-MM-dd"),
            'T' or 'X' => Shown("HH:mm:ss"),
            'R' => Shown("HH:mm"),
            'r' => Shown("hh:mm:ss") + (now.Hour < 12 ? " AM" : " PM"),
            'c' => $"{Shown("ddd MMM")} {now.Day.ToString(CultureInfo.InvariantCulture),2} {Shown("HH:mm:ss yyyy")}",
            's' => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),

            // The reference formats a time without a zone.
            'z' or 'Z' => "",
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            _ => null,
        };

        string Shown(string pattern) => now.ToString(pattern, CultureInfo.InvariantCulture);
    }
}
