using System.Text;
using System.Text.RegularExpressions;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>segment</c>: <c>by</c> <c>words</c> (default) puts a blank between words and signs, in Chinese too; <c>sentences</c> puts each
/// sentence on a line of its own. Thai, Lao, Khmer and Japanese kana, which also write no blanks, are left as they are.
/// </summary>
internal sealed partial class SegmentStep : IPreparationStep
{
    public string Word => "segment";

    public IStepRun Begin(StepFields fields, StepPlace place) => new Run(fields.Word("by", "words", "sentences") == "sentences");

    /// <summary>The text with one blank between its words and signs; its lines stay.</summary>
    public static string Words(string text)
    {
        var result = new StringBuilder(text.Length * 2);
        foreach (var match in Piece().EnumerateMatches(text))
        {
            var piece = text.AsSpan(match.Index, match.Length);
            if (piece[0] == '\n')
            {
                result.Append('\n');
            }
            else if (IsHan(piece[0]))
            {
                var begin = 0;
                foreach (var end in ChineseWords.Ends(piece))
                {
                    Append(result, piece[begin..end]);
                    begin = end;
                }
            }
            else
            {
                Append(result, piece);
            }
        }

        return result.ToString();
    }

    /// <summary>The text with a line for each sentence.</summary>
    public static string Sentences(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').SelectMany(line => SentenceEnd().Replace(line, Break).Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0);
        return string.Join('\n', lines);

        string Break(Match end) => IsAbbreviation(end) ? end.Value : end.Groups["end"].Value + "\n";
    }

    private static void Append(StringBuilder result, ReadOnlySpan<char> piece)
    {
        if (result.Length > 0 && result[^1] != '\n')
        {
            result.Append(' ');
        }

        result.Append(piece);
    }

    private static bool IsHan(char c) => c is (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF');

    /// <summary>A point behind one letter, or behind a title, ends no sentence.</summary>
    private static bool IsAbbreviation(Match end) => end.Groups["word"].Success && end.Groups["end"].Value.EndsWith('.');

    /// <summary>A run of Chinese characters; a word with its apostrophes and hyphens; a number with its points; a line's end; any other sign.</summary>
    [GeneratedRegex(@"[\u3400-\u9FFF\uF900-\uFAFF]+|\p{Nd}+(?:[.,:]\p{Nd}+)*|[\p{L}\p{M}\p{N}\p{Cs}-[\u3400-\u9FFF\uF900-\uFAFF]]+(?:['\u2019-][\p{L}\p{M}\p{N}-[\u3400-\u9FFF\uF900-\uFAFF]]+)*|\n|[^\s]")]
    private static partial Regex Piece();

    [GeneratedRegex("""(?<end>(?<word>\b(?:\p{L}|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|No|bzw|ca|Nr|Hr|Fr))?(?:[.!?…]+["'”’»)\]]*))\s+(?=["'“‘«(\[]?[\p{Lu}\p{Lt}\p{Lo}\p{Nd}])|(?<end>[。！？]+[”’」』）]*)""")]
    private static partial Regex SentenceEnd();

    private sealed class Run(bool sentences) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            row.Text = sentences ? Sentences(row.Text!) : Words(row.Text!);
            return null;
        }
    }
}
