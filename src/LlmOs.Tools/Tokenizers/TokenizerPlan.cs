using System.Collections.Frozen;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tokenizers;

/// <summary>A request for a tokenizer with every default filled in and every field checked.</summary>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="SpecialTokens">The unknown token is among them where the kind needs one.</param>
/// <param name="Unknown">What stands for characters outside the alphabet; null: every byte is a token.</param>
internal sealed record TokenizerPlan(string Kind, int Vocabulary, IReadOnlyList<string> SpecialTokens, string? Unknown, double Coverage, bool Lowercase)
{
    public const string BytePair = "bpe", Unigram = "unigram", WordPiece = "wordpiece";

    private const int UsualVocabulary = 8192;
    private const int MaxVocabulary = 262_144;
    private const int MaxSpecialTokens = 64;
    private const double UsualCoverage = 0.9995;

    /// <summary>What can be trained, and the unknown token of each.</summary>
    private static readonly FrozenDictionary<string, string?> Kinds = new Dictionary<string, string?>
    {
        [BytePair] = null,
        [Unigram] = "<unk>",
        [WordPiece] = "[UNK]",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="LlmOsException">400: a field is wrong; it is named.</exception>
    public static TokenizerPlan Of(TokenizerTrainingRequest request)
    {
        ModelName.Check(request.Name);
        TextFile.CheckEncoding(request.Encoding);
        if (!Kinds.TryGetValue(request.Train, out var unknown))
        {
            throw LlmOsException.Invalid("train", "'train' must be 'bpe', 'unigram' or 'wordpiece'.");
        }

        var special = CheckSpecialTokens(request.SpecialTokens ?? (request.Train == WordPiece ? ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] : [TrainingPlan.EndOfText]), "special_tokens");
        special = unknown is null || special.Contains(unknown) ? special : [unknown, .. special];
        var min = special.Count + (request.Train == BytePair ? 256 : 1);
        var vocabulary = request.Vocabulary ?? UsualVocabulary;
        if (vocabulary < min || vocabulary > MaxVocabulary)
        {
            throw LlmOsException.Invalid("vocabulary", $"'vocabulary' must be between {min} and {MaxVocabulary}, not {vocabulary}.");
        }

        var coverage = request.CharacterCoverage ?? UsualCoverage;
        if (!(coverage is > 0 and <= 1))
        {
            throw LlmOsException.Invalid("character_coverage", "'character_coverage' must be above 0 and at most 1.");
        }

        RefuseElsewhere(request.CharacterCoverage is not null && unknown is null, "character_coverage", "Byte-level BPE spells every character out; leave 'character_coverage' away.");
        RefuseElsewhere(request.Lowercase is not null && request.Train != WordPiece, "lowercase", "Only 'wordpiece' changes letters; leave 'lowercase' away.");
        return new TokenizerPlan(request.Train, vocabulary, special, unknown, coverage, request.Lowercase ?? true);
    }

    /// <summary>Special tokens that somebody chose, checked.</summary>
    /// <param name="field">The field of the request they came from.</param>
    /// <exception cref="LlmOsException">400: they cannot be used.</exception>
    public static IReadOnlyList<string> CheckSpecialTokens(IReadOnlyList<string> special, string field)
    {
        if (special.Count is < 1 or > MaxSpecialTokens)
        {
            throw LlmOsException.Invalid(field, $"Give 1 to {MaxSpecialTokens} special tokens; the first ends a document.");
        }

        if (!special.All(t => t is { Length: >= 2 and <= 64 } && !t.Any(c => char.IsControl(c) || char.IsSurrogate(c) || char.IsWhiteSpace(c))))
        {
            throw LlmOsException.Invalid(field, "A special token has 2 to 64 characters, none of them white space, control characters or beyond U+FFFF.");
        }

        return special.Distinct(StringComparer.Ordinal).Count() == special.Count ? special : throw LlmOsException.Invalid(field, "A special token is given twice.");
    }

    /// <summary>Refuses a vocabulary that has no room for the characters of the text.</summary>
    public static void CheckRoom(int needed, int vocabulary)
    {
        if (needed > vocabulary)
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, $"The characters of the text alone take {needed} tokens; there is room for {vocabulary}.")
            {
                Field = "vocabulary",
                Hint = "Give a larger 'vocabulary', or a smaller 'character_coverage'.",
            };
        }
    }

    private static void RefuseElsewhere(bool isSet, string field, string message)
    {
        if (isSet)
        {
            throw LlmOsException.Invalid(field, message);
        }
    }
}
