using System.Text;
using System.Text.RegularExpressions;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Text as SQuAD's evaluation compares it: small letters, no ASCII punctuation, no English article, single blanks.</summary>
internal static partial class SquadText
{
    public static string Normalize(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in PythonText.Lower(text))
        {
            if (!PythonText.IsPunctuation(c))
            {
                kept.Append(c);
            }
        }

        return string.Join(' ', PythonText.Split(Articles().Replace(kept.ToString(), " ")));
    }

    [GeneratedRegex(@"\b(a|an|the)\b")]
    private static partial Regex Articles();
}
