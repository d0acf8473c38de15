using System.Buffers;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Text;

namespace LlmOs.Models.Prompts;

/// <summary>
/// Keeps special tokens that users spell out in their texts from becoming those tokens, while the ones that a chat
/// template writes do: a rendered text knows which of its stretches came from a user.
/// </summary>
/// <remarks>Text without such spellings, nearly all text, is encoded in one piece.</remarks>
internal sealed class SpecialTokenGuard
{
    private readonly ITokenizer _tokenizer;
    private readonly string[] _spellings;
    private readonly SearchValues<string>? _search;

    public SpecialTokenGuard(ITokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _spellings = [.. Enumerable.Range(0, tokenizer.VocabularySize)
            .Where(tokenizer.IsSpecial)
            .Select(tokenizer.TokenOf)
            .OfType<string>()
            .Where(s => s.Length > 0)
            .Distinct()
            .OrderByDescending(s => s.Length)];
        _search = _spellings.Length == 0 ? null : SearchValues.Create(_spellings, StringComparison.Ordinal);
    }

    /// <summary>Ids of a rendered text: special tokens that the template wrote become themselves, spelt-out ones plain text.</summary>
    public int[] Encode(RenderedText rendered)
    {
        var text = rendered.Text;
        if (rendered.UserSpans.Count == 0 || _search is null)
        {
            return _tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true);
        }

        var ids = new List<int>();
        var (pending, section, spelt) = (0, 0, false);
        for (var at = Next(0); at < text.Length;)
        {
            var length = LengthAt(rendered, at, out var isSpelt);
            spelt |= isSpelt;
            if (length > 0)
            {
                // Special tokens part a text into stretches that are encoded on their own, so these cuts change no other id.
                if (spelt)
                {
                    Add(pending, section, parse: true);
                    Add(section, at, parse: false);
                    Add(at, at + length, parse: true);
                    pending = at + length;
                }

                (section, spelt) = (at + length, false);
            }

            at = Next(at + Math.Max(length, 1));
        }

        Add(pending, spelt ? section : text.Length, parse: true);
        if (spelt)
        {
            Add(section, text.Length, parse: false);
        }

        return [.. ids];

        int Next(int from) => text.AsSpan(from).IndexOfAny(_search) is >= 0 and var found ? from + found : text.Length;

        void Add(int from, int to, bool parse)
        {
            if (from < to)
            {
                ids.AddRange(_tokenizer.Encode(text[from..to], addSpecialTokens: false, parseSpecialTokens: parse));
            }
        }
    }

    /// <summary>Length of the longest special token that the template wrote at a place, or 0.</summary>
    /// <param name="isSpelt">Whether a user's text has a part in one that begins here.</param>
    private int LengthAt(RenderedText rendered, int at, out bool isSpelt)
    {
        var longest = 0;
        isSpelt = false;
        foreach (var spelling in _spellings)
        {
            if (!rendered.Text.AsSpan(at).StartsWith(spelling, StringComparison.Ordinal))
            {
                continue;
            }

            if (!rendered.IsTemplates(at, spelling.Length))
            {
                isSpelt = true;
            }
            else if (longest == 0)
            {
                longest = spelling.Length;
            }
        }

        return longest;
    }
}
