namespace LlmOs.Formats.Text;

/// <summary>
/// What a tokenizer's file says about long texts. Encoding does not follow it: whoever builds a model's input may.
/// </summary>
/// <param name="MaxLength">Tokens, special ones included.</param>
/// <param name="Stride">Tokens that a following window repeats.</param>
/// <param name="Strategy"><c>LongestFirst</c>, <c>OnlyFirst</c> or <c>OnlySecond</c>: which text of a pair is cut.</param>
/// <param name="FromLeft">Whether the beginning is cut instead of the end.</param>
public sealed record TruncationRule(int MaxLength, int Stride, string Strategy, bool FromLeft);

/// <summary>What a tokenizer's file says about short texts. Encoding does not follow it.</summary>
/// <param name="Length">Tokens to fill up to; null: the longest of a batch.</param>
/// <param name="MultipleOf">The length is rounded up to a multiple of it; null: it is not.</param>
/// <param name="OnLeft">Whether the fillers stand before the text.</param>
public sealed record PaddingRule(int? Length, int? MultipleOf, int Id, int TypeId, string Token, bool OnLeft);
