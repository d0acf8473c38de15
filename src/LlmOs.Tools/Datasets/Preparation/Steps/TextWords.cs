namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>Words as the published filters count them: what stands between white space.</summary>
internal static class TextWords
{
    public static IReadOnlyList<string> Of(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public static int Count(string text)
    {
        var (count, isInside) = (0, false);
        foreach (var c in text)
        {
            var isSpace = char.IsWhiteSpace(c);
            count += !isSpace && !isInside ? 1 : 0;
            isInside = !isSpace;
        }

        return count;
    }
}
