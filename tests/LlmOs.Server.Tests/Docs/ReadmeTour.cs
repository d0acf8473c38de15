using System.Text.RegularExpressions;

namespace LlmOs.Server.Tests.Docs;

/// <summary>A command of the README and what it says that the command prints.</summary>
/// <param name="Line">Where the command begins, counted from 1.</param>
internal sealed record TourStep(int Line, string Command, string Expected)
{
    /// <summary>Whether an output is the expected one; <c>...</c> stands for anything within a line.</summary>
    public bool IsPrinted(string output)
    {
        var pattern = string.Join("[^\n]*?", Expected.TrimEnd().Split("...").Select(Regex.Escape));
        return Regex.IsMatch(output.TrimEnd(), $@"\A{pattern}\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
    }
}

/// <summary>The console blocks of a page that are marked with <c>&lt;!-- run --&gt;</c>.</summary>
internal static class ReadmeTour
{
    private const string Mark = "<!-- run -->";
    private const string Prompt = "$ ";
    private const string GoesOn = "    ";

    public static IReadOnlyList<TourStep> Read(string page)
    {
        var lines = page.Split('\n');
        var steps = new List<TourStep>();
        for (var at = 0; at < lines.Length; at++)
        {
            if (lines[at] == Mark)
            {
                at = ReadBlock(lines, at + 1, steps);
            }
        }

        return steps;
    }

    /// <summary>A line that begins with <c>$ </c> is a command, which goes on with the indented lines below it; the rest is output.</summary>
    private static int ReadBlock(string[] lines, int at, List<TourStep> steps)
    {
        if (lines[at] != "```console")
        {
            throw new InvalidDataException($"Line {at + 1}: a block of console lines must follow '{Mark}'.");
        }

        at++;
        while (lines[at] != "```")
        {
            if (!lines[at].StartsWith(Prompt, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"Line {at + 1}: expected a command.");
            }

            var begin = at;
            List<string> command = [lines[at++][Prompt.Length..]];
            while (lines[at].StartsWith(GoesOn, StringComparison.Ordinal))
            {
                command.Add(lines[at++]);
            }

            List<string> output = [];
            while (lines[at] != "```" && !lines[at].StartsWith(Prompt, StringComparison.Ordinal))
            {
                output.Add(lines[at++]);
            }

            steps.Add(new TourStep(begin + 1, string.Join('\n', command), string.Join('\n', output)));
        }

        return at;
    }
}
