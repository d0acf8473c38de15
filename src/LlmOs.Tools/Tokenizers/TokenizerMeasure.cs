using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>How a tokenizer does on a text: how many tokens a word takes, and how much of the text it knows.</summary>
/// <param name="unknown">The token of what it does not know; null: it knows everything.</param>
internal sealed class TokenizerMeasure(IOffsetTokenizer tokenizer, string? unknown)
{
    private readonly int? _unknown = unknown is null ? null : tokenizer.IdOf(unknown);
    private long _foreign;

    /// <summary>Stretches between white space.</summary>
    public long Words { get; private set; }

    public long Tokens { get; private set; }

    /// <summary>White space aside.</summary>
    public long Characters { get; private set; }

    /// <summary>Tokens per word.</summary>
    public double Fertility => Words == 0 ? 0 : (double)Tokens / Words;

    /// <summary>Share of the characters that are not part of an unknown token.</summary>
    public double Coverage => Characters == 0 ? 1 : 1 - ((double)_foreign / Characters);

    public void Add(string text)
    {
        var inWord = false;
        foreach (var character in text.EnumerateRunes())
        {
            var isSpace = Rune.IsWhiteSpace(character);
            Characters += isSpace ? 0 : 1;
            Words += !isSpace && !inWord ? 1 : 0;
            inWord = !isSpace;
        }

        foreach (var token in tokenizer.EncodeWithOffsets(text, null, addSpecialTokens: false, parseSpecialTokens: false))
        {
            Tokens++;
            if (token.Id == _unknown)
            {
                _foreign += CharactersOf(text.AsSpan(token.Start, token.End - token.Start));
            }
        }
    }

    private static int CharactersOf(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var character in text.EnumerateRunes())
        {
            count += Rune.IsWhiteSpace(character) ? 0 : 1;
        }

        return count;
    }
}
