namespace LlmOs.Infrastructure;

/// <summary>What a caller wrote, made fit for a message.</summary>
public static class Shown
{
    private const int MaxCharacters = 80;

    /// <summary>The text, cut where it is long and free of control characters.</summary>
    public static string Of(string text)
    {
        var shown = string.Concat(text.Take(MaxCharacters).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '\uFFFD' : c));
        return text.Length > MaxCharacters ? shown + "..." : shown;
    }
}
