using LlmOs.Formats.Text;

namespace LlmOs.Models.Tests.Prompts;

/// <summary>One token for each character below U+1000, and some special ones after them.</summary>
internal sealed class LetterTokenizer(params string[] specials) : ITokenizer
{
    private const int Letters = 0x1000;

    public string Kind => "WordLevel";

    /// <summary>Special tokens that are put before a text.</summary>
    public string[] Before { get; init; } = [];

    public int VocabularySize => Letters + specials.Length;

    public int[] Encode(string text, bool addSpecialTokens, bool parseSpecialTokens)
    {
        var ids = addSpecialTokens ? Before.Select(b => IdOf(b)!.Value).ToList() : [];
        for (var at = 0; at < text.Length;)
        {
            var special = parseSpecialTokens
                ? specials.Where(s => text.AsSpan(at).StartsWith(s, StringComparison.Ordinal)).MaxBy(s => s.Length)
                : null;
            ids.Add(special is null ? text[at] : IdOf(special)!.Value);
            at += special?.Length ?? 1;
        }

        return [.. ids];
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var text = new System.Text.StringBuilder();
        foreach (var id in ids)
        {
            text.Append(IsSpecial(id) && skipSpecialTokens ? "" : TokenOf(id));
        }

        return text.ToString();
    }

    public string? TokenOf(int id) => id < Letters ? ((char)id).ToString() : id < VocabularySize ? specials[id - Letters] : null;

    public int? IdOf(string token) => Array.IndexOf(specials, token) is >= 0 and var at ? Letters + at : token.Length == 1 ? token[0] : null;

    public bool IsSpecial(int id) => id >= Letters && id < VocabularySize;
}
