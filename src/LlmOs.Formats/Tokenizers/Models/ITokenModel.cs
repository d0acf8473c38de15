namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>The part of a tokenizer that turns one piece of text into tokens.</summary>
internal interface ITokenModel
{
    string Kind { get; }

    Vocabulary Vocabulary { get; }

    /// <summary>The id of text that no token covers; null where there is none.</summary>
    int? Unknown { get; }

    /// <summary>Adds the tokens of a piece that is not empty.</summary>
    /// <param name="at">Where the piece begins in the normalised text; ranges are counted from there.</param>
    void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink);
}
