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

    private static string Entity(char c) => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&#34;",
        _ => "&#39;",
    };
}
