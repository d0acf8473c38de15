using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>markup</c>: HTML becomes its text, blocks on lines of their own. Scripts, styles and what surrounds a page's text
/// (<c>nav</c>, <c>header</c>, <c>footer</c>, <c>aside</c>, forms) go; <c>"boilerplate": "keep"</c> keeps the latter. A text without markup stays as it is.
/// </summary>
internal sealed class MarkupStep : IPreparationStep
{
    private static readonly HashSet<string> Never =
        ["script", "style", "noscript", "template", "iframe", "object", "svg", "math", "head", "canvas", "audio", "video"];

    private static readonly HashSet<string> Around = ["nav", "header", "footer", "aside", "form", "button", "select", "menu", "dialog"];

    private static readonly HashSet<string> Blocks =
    [
        "address", "article", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
        "hr", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
    ];

    public string Word => "markup";

    public IStepRun Begin(StepFields fields, StepPlace place) => new Run(fields.Word("boilerplate", "remove", "keep") == "remove");

    /// <summary>The text of a piece of HTML.</summary>
    public static string TextOf(string html, bool removeAround)
    {
        if (!html.Contains('<', StringComparison.Ordinal) && !html.Contains('&', StringComparison.Ordinal))
        {
            return html;
        }

        var text = new StringBuilder(html.Length);
        using var document = new HtmlParser().ParseDocument(html);
        Write(document.Body, text, removeAround);
        var lines = text.ToString().Split('\n').Select(line => string.Join(' ', TextWords.Of(line))).Where(line => line.Length > 0);
        return string.Join('\n', lines);
    }

    /// <summary>Walks without recursion: hostile markup is nested deeply.</summary>
    private static void Write(INode? root, StringBuilder text, bool removeAround)
    {
        for (var node = root; node is not null; node = Next(node, root!, removeAround, text))
        {
            if (node is IText words)
            {
                text.Append(words.Data.ReplaceLineEndings(" "));
            }
            else if (node is IElement element && Blocks.Contains(element.LocalName))
            {
                text.Append('\n');
            }
        }
    }

    private static INode? Next(INode node, INode root, bool removeAround, StringBuilder text)
    {
        if (node.FirstChild is { } child && !(node is IElement element && (Never.Contains(element.LocalName) || (removeAround && Around.Contains(element.LocalName)))))
        {
            return child;
        }

        for (var at = node; at is not null && at != root; at = at.Parent)
        {
            if (at is IElement left && Blocks.Contains(left.LocalName))
            {
                text.Append('\n');
            }

            if (at.NextSibling is { } sibling)
            {
                return sibling;
            }
        }

        return null;
    }

    private sealed class Run(bool removeAround) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            row.Text = TextOf(row.Text!, removeAround);
            return null;
        }
    }
}
