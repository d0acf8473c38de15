namespace LlmOs.Formats.Text;

/// <summary>Text to token ids and back, exactly as the model's authors do it. Immutable and safe on any thread.</summary>
public interface ITokenizer
{
    /// <summary>The word for the kind of model: <c>BPE</c>, <c>Unigram</c>, <c>WordPiece</c>, <c>WordLevel</c>.</summary>
    string Kind { get; }

    /// <summary>Tokens, added ones included.</summary>
    int VocabularySize { get; }

    /// <summary>Ids of a text. Neither pads nor cuts.</summary>
    /// <param name="addSpecialTokens">Whether the post-processor adds what it adds (begin token, [CLS] ...).</param>
    /// <param name="parseSpecialTokens">
    /// Whether a special token spelt out in the text becomes that token. True for templates that the platform renders,
    /// false for text from users.
    /// </param>
    int[] Encode(string text, bool addSpecialTokens, bool parseSpecialTokens);

    /// <summary>Text of ids; ids outside the vocabulary give no text.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens);

    /// <summary>The token's own spelling in the vocabulary (<c>Ġthe</c>), or null for an id that has none.</summary>
    string? TokenOf(int id);

    /// <summary>The id of a spelling, or null.</summary>
    int? IdOf(string token);

    /// <summary>Whether the id is one of the added tokens marked special.</summary>
    bool IsSpecial(int id);
}

/// <summary>A tokenizer file that cannot be used; the message names the component at fault.</summary>
public sealed class TokenizerFormatException : Exception
{
    public TokenizerFormatException(string message)
        : base(message)
    {
    }

    public TokenizerFormatException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
