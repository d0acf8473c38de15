using LlmOs.Engine.Execution;

namespace LlmOs.Engine;

/// <summary>Says no to requests that cannot be run, before anything is reserved for them.</summary>
internal static class RequestCheck
{
    private const int MaxTopLogprobs = 20;

    public static void Check(GenerationRequest request, DecoderShape shape)
    {
        CheckTokens(request.PromptTokens, shape, max: shape.ContextLength - 1);
        Require(request.MaxTokens >= 1, nameof(request.MaxTokens), $"must be at least 1, not {request.MaxTokens}");
        Require(request.MinTokens >= 0, nameof(request.MinTokens), $"must be 0 or more, not {request.MinTokens}");
        Require(
            request.TopLogprobs is null or (>= 0 and <= MaxTopLogprobs),
            nameof(request.TopLogprobs),
            $"must be 0 to {MaxTopLogprobs}, not {request.TopLogprobs}");
        CheckSampling(request.Sampling, shape);
        CheckRules(request.Rules, shape);
        CheckSource(request.SourceTokens, shape);
    }

    public static void CheckScoring(ScoringRequest request, DecoderShape shape)
    {
        Require(shape.Cross is null, "scoring", "is for decoders; this model reads a source first");
        CheckTokens(request.Tokens, shape, max: shape.ContextLength);
        Require(request.From >= 1, nameof(request.From), $"must be at least 1, not {request.From}: nothing stands before the first token");
        Require(request.Top is >= 0 and <= MaxTopLogprobs, nameof(request.Top), $"must be 0 to {MaxTopLogprobs}, not {request.Top}");
    }

    /// <param name="max">Maximum tokens the prompt may have.</param>
    public static void CheckTokens(int[] tokens, DecoderShape shape, int max)
    {
        Require(tokens.Length > 0, "prompt", "must hold at least one token");
        Require(
            tokens.Length <= max,
            "prompt",
            $"has {tokens.Length} tokens; the context of {shape.ContextLength} allows at most {max}");
        var bad = tokens.AsSpan().IndexOfAnyExceptInRange(0, shape.Vocabulary - 1);
        Require(bad < 0, "prompt", bad < 0 ? string.Empty : $"holds the id {tokens[bad]} at position {bad}; ids go from 0 to {shape.Vocabulary - 1}");
    }

    /// <summary>An encoder-decoder needs a source, and a decoder takes none.</summary>
    public static void CheckSource(int[] source, DecoderShape shape)
    {
        if (shape.Cross is not { } cross)
        {
            Require(source.Length == 0, "source", "is for encoder-decoders; this model has no encoder");
            return;
        }

        Require(source.Length > 0, "source", "must hold at least one token");
        Require(source.Length <= cross.MaxSource, "source", $"has {source.Length} tokens; the model reads at most {cross.MaxSource}");
        var bad = source.AsSpan().IndexOfAnyExceptInRange(0, cross.SourceVocabulary - 1);
        Require(bad < 0, "source", bad < 0 ? string.Empty : $"holds the id {source[bad]} at position {bad}; ids go from 0 to {cross.SourceVocabulary - 1}");
    }

    public static void CheckBeams(BeamSettings? beams, int slots)
    {
        Require(beams is not null, nameof(GenerationRequest.Beams), "must be set for a beam search");
        Require(beams!.Beams >= 1 && beams.Beams <= slots, nameof(beams.Beams), $"must be 1 to {slots}, the slots of the cache, not {beams.Beams}");
        Require(double.IsFinite(beams.LengthPenalty), nameof(beams.LengthPenalty), "must be a finite number");
    }

    private static void CheckSampling(SamplingParameters sampling, DecoderShape shape)
    {
        Require(sampling.Temperature >= 0 && double.IsFinite(sampling.Temperature), nameof(sampling.Temperature), $"must be 0 (greedy) or more, not {sampling.Temperature}");
        Require(sampling.TopK >= 0, nameof(sampling.TopK), $"must be 0 (all) or more, not {sampling.TopK}");
        Require(sampling.TopP is >= 0 and <= 1, nameof(sampling.TopP), $"must be 0 to 1, not {sampling.TopP}");
        Require(sampling.MinP is >= 0 and <= 1, nameof(sampling.MinP), $"must be 0 to 1, not {sampling.MinP}");
        Require(sampling.TypicalP is > 0 and <= 1, nameof(sampling.TypicalP), $"must be above 0 and at most 1, not {sampling.TypicalP}");
        Require(sampling.EpsilonCutoff is >= 0 and < 1, nameof(sampling.EpsilonCutoff), $"must be 0 (all) or more and below 1, not {sampling.EpsilonCutoff}");
        Require(sampling.EtaCutoff is >= 0 and < 1, nameof(sampling.EtaCutoff), $"must be 0 (all) or more and below 1, not {sampling.EtaCutoff}");
        Require(sampling.RepetitionPenalty > 0 && double.IsFinite(sampling.RepetitionPenalty), nameof(sampling.RepetitionPenalty), $"must be above 0, not {sampling.RepetitionPenalty}");
        foreach (var filter in sampling.Filters)
        {
            Require(filter.Fault is null, filter.GetType().Name, filter.Fault ?? string.Empty);
        }

        Require(double.IsFinite(sampling.PresencePenalty), nameof(sampling.PresencePenalty), "must be a finite number");
        Require(double.IsFinite(sampling.FrequencyPenalty), nameof(sampling.FrequencyPenalty), "must be a finite number");
        foreach (var (token, amount) in sampling.LogitBias ?? new Dictionary<int, float>())
        {
            Require(token >= 0 && token < shape.Vocabulary, nameof(sampling.LogitBias), $"names the id {token}; ids go from 0 to {shape.Vocabulary - 1}");
            Require(!float.IsNaN(amount) && !float.IsPositiveInfinity(amount), nameof(sampling.LogitBias), $"of id {token} must be a number");
        }
    }

    /// <summary>Ids that a rule forces or whose last token it changes must be in the vocabulary; what it bans may be beyond it.</summary>
    private static void CheckRules(TokenRules rules, DecoderShape shape)
    {
        Require(rules.NoRepeatNgram >= 0, nameof(rules.NoRepeatNgram), $"must be 0 (no rule) or more, not {rules.NoRepeatNgram}");
        Require(rules.SourceNoRepeatNgram >= 0, nameof(rules.SourceNoRepeatNgram), $"must be 0 (no rule) or more, not {rules.SourceNoRepeatNgram}");
        Require(rules.ForcedBegin is null || (uint)rules.ForcedBegin < (uint)shape.Vocabulary, nameof(rules.ForcedBegin), $"is {rules.ForcedBegin}; ids go from 0 to {shape.Vocabulary - 1}");
        Require(rules.ForcedEnd is null || (uint)rules.ForcedEnd < (uint)shape.Vocabulary, nameof(rules.ForcedEnd), $"is {rules.ForcedEnd}; ids go from 0 to {shape.Vocabulary - 1}");
    }

    private static void Require(bool holds, string name, string what)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} {what}.", name);
        }
    }
}
