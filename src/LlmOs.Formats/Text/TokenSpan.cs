namespace LlmOs.Formats.Text;

/// <summary>A token with the stretch of the original text that it stands for.</summary>
/// <param name="Start">UTF-16 index of the first character; equal to <paramref name="End"/> for tokens that no text made.</param>
/// <param name="End">UTF-16 index after the last character.</param>
/// <param name="TypeId">Segment number that BERT-like models take: 0, or 1 in the second text of a pair.</param>
/// <param name="Sequence">0 or 1: which text the token is from; -1 for tokens that the post-processor added.</param>
/// <param name="Word">Which word of its text the token is from, as the pre-tokenizer cuts words, an added token being one; -1 for tokens that no text made.</param>
public readonly record struct TokenSpan(int Id, int Start, int End, int TypeId, int Sequence, int Word = -1);

/// <summary>A tokenizer that also says where each token comes from.</summary>
public interface IOffsetTokenizer : ITokenizer
{
    /// <summary>How the file asks long texts to be cut; null when it does not.</summary>
    TruncationRule? Truncation => null;

    /// <summary>How the file asks short texts to be filled up; null when it does not.</summary>
    PaddingRule? Padding => null;

    /// <summary>The id of text that no token covers; null where there is none.</summary>
    int? UnknownToken { get; }

    /// <summary>Tokens of a text, or of a pair of texts, each with its range in its own text.</summary>
    /// <param name="pair">The second text (premise and hypothesis, question and context), or null.</param>
    TokenSpan[] EncodeWithOffsets(string text, string? pair, bool addSpecialTokens, bool parseSpecialTokens);

    /// <summary>Ids of a pair of texts, put together as the post-processor does it.</summary>
    int[] EncodePair(string text, string pair, bool addSpecialTokens, bool parseSpecialTokens);

    /// <summary>The text of tokens by their spelling, as the decoder joins them; text among them is taken for a token.</summary>
    string Join(IEnumerable<string> tokens);

    /// <summary>Ids of many texts, worked on by all cores; result i belongs to text i.</summary>
    int[][] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens, bool parseSpecialTokens);
}
