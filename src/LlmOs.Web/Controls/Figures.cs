using System.Globalization;

namespace LlmOs.Web.Controls;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    private static readonly string[] Bytes = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>4.3 MiB, with a space at which no line breaks.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1024 && unit < Bytes.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return $"{value.ToString(value < 10 && unit > 0 ? "0.0" : "0", CultureInfo.CurrentCulture)}\u00A0{Bytes[unit]}";
    }

    /// <summary>2.2 M, 135 M, 7.0 B.</summary>
    public static string Count(long number) => number switch
    {
        >= 1_000_000_000 => $"{(number / 1e9).ToString("0.0", CultureInfo.CurrentCulture)} B",
        >= 10_000_000 => $"{(number / 1e6).ToString("0", CultureInfo.CurrentCulture)} M",
        >= 1_000_000 => $"{(number / 1e6).ToString("0.0", CultureInfo.CurrentCulture)} M",
        >= 10_000 => $"{(number / 1e3).ToString("0", CultureInfo.CurrentCulture)} K",
        _ => number.ToString(CultureInfo.CurrentCulture),
    };

    public static string Percent(double share) => share.ToString("P0", CultureInfo.CurrentCulture);

    public static string Duration(double seconds) => seconds switch
    {
        < 60 => $"{Math.Ceiling(seconds).ToString("0", CultureInfo.CurrentCulture)} s",
        < 3600 => $"{(int)(seconds / 60)} min",
        _ => $"{(int)(seconds / 3600)} h {(int)(seconds % 3600 / 60)} min",
    };

    /// <summary>In the browser's language; times are UTC, as everywhere on the platform.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
