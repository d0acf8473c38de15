using Markdig;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace LlmOs.Models.Registry.Cards;

/// <summary>
/// Markdown as HTML that may stand in a page: no HTML of the author's, no link but to the web, a mail address or a place
/// in the page itself, and no picture, which would tell its host who reads the card.
/// </summary>
internal static class CardHtml
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().DisableHtml().UsePipeTables().UseFootnotes().UseAutoLinks().Build();

    /// <summary>Changes with whatever changes the HTML of a text: what was kept of an earlier one is made again.</summary>
    public const string Version = "1";

    private const int MaxCharacters = 4 << 20;

    /// <returns>Null where the text is nested so deeply that no reader would follow, or costs too much to render.</returns>
    public static string? Render(string markdown)
    {
        if (!CardCost.IsWithin(markdown))
        {
            return null;
        }

        try
        {
            var document = Markdown.Parse(markdown, Pipeline);
            foreach (var link in document.Descendants<LinkInline>().ToList())
            {
                Tame(link);
            }

            foreach (var link in document.Descendants<AutolinkInline>().Where(l => !l.IsEmail && !IsSafe(l.Url)).ToList())
            {
                link.ReplaceBy(new LiteralInline(link.Url));
            }

            var html = document.ToHtml(Pipeline);
            return html.Length <= MaxCharacters ? html : null;
        }
        catch (ArgumentException)
        {
            return null; // the library's way of refusing depth
        }
    }

    private static void Tame(LinkInline link)
    {
        var url = link.GetDynamicUrl?.Invoke() ?? link.Url ?? "";
        if (link.IsImage)
        {
            link.IsImage = false;
            if (link.FirstChild is null)
            {
                link.AppendChild(new LiteralInline(IsSafe(url) ? url : "picture"));
            }
        }

        link.GetDynamicUrl = null;
        link.Url = IsSafe(url) ? url : "#";
        link.GetAttributes().AddPropertyIfNotExist("rel", "nofollow noopener noreferrer");
    }

    /// <summary>By what it begins with, as browsers see it: they pass over control characters and spaces.</summary>
    private static bool IsSafe(string url)
    {
        var seen = string.Concat(url.Where(c => !char.IsControl(c) && !char.IsWhiteSpace(c)));
        if (seen.StartsWith("//", StringComparison.Ordinal) || seen.Contains('\\', StringComparison.Ordinal))
        {
            return false;
        }

        var colon = seen.IndexOf(':', StringComparison.Ordinal);
        var end = seen.AsSpan().IndexOfAny('/', '?', '#');
        return colon < 0 || (end >= 0 && end < colon)
            || seen.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
            || seen.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            || seen.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase);
    }
}
