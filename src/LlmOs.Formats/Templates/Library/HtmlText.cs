using System.Text;
using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>HTML in texts.</summary>
internal static class HtmlText
{
    private const string Special = "&<>\"'";

    /// <summary>The text with its special characters as entities, marked as safe.</summary>
    public static TextValue Escape(RenderRun run, TextValue text)
    {
        var output = new TextOutput(run);
        var copied = 0;
        for (var at = text.Text.AsSpan().IndexOfAny(Special); at >= 0;)
        {
            output.Append(text, copied, at - copied);
            output.Append(Entity(text.Text[at]), text.IsUser(at));
            copied = at + 1;
            var next = text.Text.AsSpan(copied).IndexOfAny(Special);
            at = next < 0 ? -1 : copied + next;
        }

        output.Append(text, copied, text.Text.Length - copied);
        return output.ToText(isMarkup: true);
    }

    /// <summary>The text without comments and tags, blanks in a row as one, and characters in the place of their entities: markupsafe's <c>striptags</c>.</summary>
    public static TextValue StripTags(RenderRun run, TextValue text)
    {
        run.Make(4L * text.Text.Length);
        var bare = WithoutTags(WithoutComments(run, text.Text));
        var words = new StringBuilder(bare.Length);
        foreach (var c in bare)
        {
            var isSpace = PythonText.IsSpace(c);
            if (!isSpace)
            {
                words.Append(c);
            }
            else if (words.Length > 0 && words[^1] != ' ')
            {
                words.Append(' ');
            }
        }

        var plain = words.Length > 0 && words[^1] == ' ' ? words.ToString(0, words.Length - 1) : words.ToString();
        return TextValue.From(HtmlEntities.Replace(plain), text.HasUser);
    }

    /// <summary>Each comment is searched from the start: what a cut leaves may be the start of another.</summary>
    private static string WithoutComments(RenderRun run, string text)
    {
        for (int start; (start = text.IndexOf("<!--", StringComparison.Ordinal)) >= 0;)
        {
            var end = text.IndexOf("-->", start, StringComparison.Ordinal);
            if (end < 0)
            {
                break;
            }

            run.Make(text.Length);
            text = text.Remove(start, end + 3 - start);
        }

        return text;
    }

    private static string WithoutTags(string text)
    {
        var result = new StringBuilder(text.Length);
        var at = 0;
        for (int start; (start = text.IndexOf('<', at)) >= 0;)
        {
            var end = text.IndexOf('>', start);
            if (end < 0)
            {
                break;
            }

            result.Append(text, at, start - at);
            at = end + 1;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    private static string Entity(char c) => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&#34;",
        _ => "&#39;",
    };
}
