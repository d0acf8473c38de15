using System.Buffers;
using System.Text;
using LlmOs.Engine.Text;

namespace LlmOs.Models.Serving;

/// <summary>
/// Keeps special tokens that users spell out in their texts from becoming those tokens, while the ones that a chat
/// template writes do: user text is marked before it is rendered, and a mark breaks the spelling.
/// </summary>
/// <remarks>
/// A template may trim, join or test what it is given, so the texts themselves cannot be encoded apart from it. Text
/// without such spellings, nearly all text, passes through untouched and is encoded in one piece.
/// </remarks>
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

    /// <summary>A character that none of the texts holds: one of Unicode's noncharacters, which stand for nothing.</summary>
    public static char? FreeMark(IReadOnlyCollection<string> texts)
    {
        for (var mark = '\uFDD0'; mark <= '\uFDEF'; mark++)
        {
            if (!texts.Any(t => t.Contains(mark)))
            {
                return mark;
            }
        }

        return null;
    }

    /// <summary>The text with a mark in every spelling of a special token.</summary>
    public string Mark(string text, char mark)
    {
        if (_search is null || !text.AsSpan().ContainsAny(_search))
        {
            return text;
        }

        var marked = new StringBuilder(text.Length + 8);
        for (var at = 0; at < text.Length; at++)
        {
            var (single, longer) = SpellingsAt(text, at);
            _ = single ? marked.Append(mark) : marked;
            marked.Append(text[at]);
            _ = longer ? marked.Append(mark) : marked;
        }

        return marked.ToString();
    }

    /// <summary>Ids of a rendered text: whole special tokens become themselves, marked ones plain text without the mark.</summary>
    public int[] Encode(string rendered, char mark)
    {
        if (!rendered.Contains(mark))
        {
            return _tokenizer.Encode(rendered, addSpecialTokens: false, parseSpecialTokens: true);
        }

        var ids = new List<int>();
        var (trusted, section) = (0, 0);
        while (section <= rendered.Length)
        {
            var (at, length) = NextSpecial(rendered, section, mark);
            if (rendered.AsSpan(section, at - section).Contains(mark))
            {
                // Special tokens part a text into stretches that are encoded on their own, so this cut changes no other id.
                Add(rendered[trusted..section], parse: true);
                Add(rendered[section..at].Replace(mark.ToString(), "", StringComparison.Ordinal), parse: false);
                trusted = at;
            }

            section = at + Math.Max(length, 1);
        }

        Add(rendered[trusted..], parse: true);
        return [.. ids];

        void Add(string text, bool parse)
        {
            if (text.Length > 0)
            {
                ids.AddRange(_tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: parse));
            }
        }
    }

    /// <summary>Whether a special token of one character, and whether a longer one, is spelt from here.</summary>
    private (bool Single, bool Longer) SpellingsAt(string text, int at)
    {
        var (single, longer) = (false, false);
        foreach (var spelling in _spellings)
        {
            if (text.AsSpan(at).StartsWith(spelling, StringComparison.Ordinal))
            {
                single |= spelling.Length == 1;
                longer |= spelling.Length > 1;
            }
        }

        return (single, longer);
    }

    /// <summary>The next unmarked special token, the longest of those that begin together; the text's end if there is none.</summary>
    private (int At, int Length) NextSpecial(string text, int from, char mark)
    {
        while (from < text.Length && _search is not null)
        {
            var at = text.AsSpan(from).IndexOfAny(_search);
            if (at < 0)
            {
                break;
            }

            at += from;
            var spelling = _spellings.First(s => text.AsSpan(at).StartsWith(s, StringComparison.Ordinal));
            if (spelling.Length > 1 || at == 0 || text[at - 1] != mark)
            {
                return (at, spelling.Length);
            }

            from = at + 1;
        }

        return (text.Length, 0);
    }
}
