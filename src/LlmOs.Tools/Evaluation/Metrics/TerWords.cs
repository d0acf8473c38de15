using System.Text.RegularExpressions;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Text as TER takes it apart, by tercom's rules as sacreBLEU has them.</summary>
internal sealed partial class TerWords(bool normalized, bool noPunctuation, bool asian, bool caseSensitive)
{
    private const string AsianSigns = @"[\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb]";
    private const string WideSigns = @"[\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09]";

    public List<string> Of(string text)
    {
        text = caseSensitive ? text : PythonText.Lower(text);
        if (normalized)
        {
            text = asian ? Asian(Western(text)) : Western(text);
        }

        if (noPunctuation)
        {
            text = Signs().Replace(text, "");
            text = asian ? AsianPunctuation().Replace(text, "") : text;
        }

        return PythonText.Split(text);
    }

    private static string Western(string text)
    {
        text = text.Replace("\n-", "", StringComparison.Ordinal).Replace('\n', ' ');
        text = text.Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        text = Punctuation().Replace($" {text} ", " $1 ");
        text = text.Replace("'s ", " 's ", StringComparison.Ordinal);
        text = StopAfter().Replace(text, "$1 $2 ");
        text = StopBefore().Replace(text, " $1 $2");
        return DashAfterDigit().Replace(text, "$1 $2 ");
    }

    /// <summary>Chinese characters and signs stand alone; kana stay together, as in the reference, whose rule for them never applies to a text with blanks around it.</summary>
    private static string Asian(string text)
    {
        text = Ideographs().Replace(text, " $1 ");
        text = Enclosed().Replace(text, " $1 ");
        return AsianPunctuation().Replace(text, " $0 ");
    }

    [GeneratedRegex(@"[\.,\?:;!""\(\)]")]
    private static partial Regex Signs();

    [GeneratedRegex(AsianSigns + "|" + WideSigns)]
    private static partial Regex AsianPunctuation();

    [GeneratedRegex(@"([{-~\[-` -&(-+:-@/])")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"([^0-9])([\.,])")]
    private static partial Regex StopAfter();

    [GeneratedRegex(@"([\.,])([^0-9])")]
    private static partial Regex StopBefore();

    [GeneratedRegex("([0-9])(-)")]
    private static partial Regex DashAfterDigit();

    [GeneratedRegex(@"([\u4e00-\u9fff\u3400-\u4dbf\u31c0-\u31ef\u2e80-\u2eff\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f])")]
    private static partial Regex Ideographs();

    /// <summary>From the enclosed letters to the last of extension A's range that the reference names.</summary>
    [GeneratedRegex(@"([\u3200-\u3f22])")]
    private static partial Regex Enclosed();
}
