namespace LlmOs.Formats.Templates;

/// <summary>A stretch of a text, in UTF-16 units.</summary>
public readonly record struct TextSpan(int Start, int Length)
{
    public int End => Start + Length;
}

/// <summary>What a template made, and where its parts come from.</summary>
/// <param name="UserSpans">
/// The stretches that came in with the request rather than from the template, in order and apart from each other. Whatever
/// is not among them was written by the template.
/// </param>
/// <param name="GeneratedSpans">The stretches that stood in <c>generation</c> blocks: what an assistant said.</param>
public sealed record RenderedText(string Text, IReadOnlyList<TextSpan> UserSpans, IReadOnlyList<TextSpan> GeneratedSpans)
{
    /// <summary>Whether no part of a stretch came from the request.</summary>
    public bool IsTemplates(int start, int length)
    {
        var (low, high) = (0, UserSpans.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (UserSpans[middle].End <= start)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low == UserSpans.Count || UserSpans[low].Start >= start + length;
    }
}
