using System.Globalization;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary>Tables without frames: readable in a terminal, and cut by column in a script.</summary>
internal static class Tables
{
    public static Table New(params ReadOnlySpan<string> columns)
    {
        var table = new Table().NoBorder();
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column).NoWrap().PadRight(2));
        }

        return table;
    }

    public static void Write(Table table, string whenEmpty)
    {
        if (table.Rows.Count == 0)
        {
            Console.Out.WriteLine(whenEmpty);
            return;
        }

        if (Console.IsOutputRedirected)
        {
            // A pipe has no width: rows must not be folded at 80 columns.
            AnsiConsole.Profile.Width = 1000;
        }

        AnsiConsole.Write(table);
    }
}

/// <summary>Numbers as people read them.</summary>
internal static class Sizes
{
    public static string Bytes(long bytes) => Scale(bytes, ["B", "KB", "MB", "GB", "TB"]);

    public static string Count(long count) => Scale(count, ["", "K", "M", "B", "T"]).TrimEnd();

    /// <summary>In thousands, with one decimal below ten.</summary>
    private static string Scale(double value, string[] units)
    {
        var unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var format = value < 9.95 && unit > 0 ? "0.0" : "0";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {units[unit]}";
    }

    public static string Duration(double seconds) => seconds switch
    {
        < 60 => $"{seconds:0} s",
        < 3600 => $"{(int)seconds / 60} min {(int)seconds % 60} s",
        _ => $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60} min",
    };
}
