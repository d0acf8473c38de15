using System.Text.RegularExpressions;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>The split that a file of several belongs to, by its name: <c>data/test-00000-of-00002.parquet</c> is of <c>test</c>.</summary>
internal static partial class SourceSplits
{
    /// <summary>Rows that nobody put elsewhere.</summary>
    public const string Usual = "train";

    public static string Of(string name)
    {
        foreach (var part in name.ToLowerInvariant().Split('/').Reverse())
        {
            if (Words().Match(part) is { Success: true } match)
            {
                return match.Groups[1].Value switch
                {
                    "train" or "training" => "train",
                    "test" or "testing" => "test",
                    _ => "validation",
                };
            }
        }

        return Usual;
    }

    [GeneratedRegex("(?<![a-z])(train|training|test|testing|valid|validation|val|dev)(?![a-z])")]
    private static partial Regex Words();
}
