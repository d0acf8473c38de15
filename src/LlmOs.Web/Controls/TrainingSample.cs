using System.Globalization;
using System.Text.RegularExpressions;
using LlmOs.Contracts;

namespace LlmOs.Web.Controls;

/// <summary>What a model wrote at one step of its training.</summary>
internal sealed partial record TrainingSample(long Step, string Text)
{
    /// <summary>A training notes its samples in the job's log, as <c>step 200 writes: Once upon a time</c>.</summary>
    /// <returns>Null for any other line.</returns>
    public static TrainingSample? Of(JobLogView line) => Line().Match(line.Text) is { Success: true } match
        ? new TrainingSample(long.Parse(match.Groups["step"].Value, CultureInfo.InvariantCulture), match.Groups["text"].Value)
        : null;

    [GeneratedRegex("^step (?<step>[0-9]{1,18}) writes: (?<text>.*)$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Line();
}
