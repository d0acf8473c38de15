using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Tokenizers;

/// <summary>What the making of tokenizers says.</summary>
internal static class TokenizerCodes
{
    public static readonly JobCode CountingWords = new("counting_words", "counting the words");
    public static readonly JobCode MergingPairs = new("merging_pairs", "merging pairs");
    public static readonly JobCode WeighingPieces = new("weighing_pieces", "weighing pieces");
    public static readonly JobCode Measuring = new("measuring_tokenizer", "measuring the tokenizer on the text");
    public static readonly JobCode FewRepeats = new("few_repeats", "The text has too few repeated parts for {wanted} tokens: the vocabulary has {found}.");
}
