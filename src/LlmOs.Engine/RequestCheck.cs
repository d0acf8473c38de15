using LlmOs.Engine.Execution;

namespace LlmOs.Engine;

/// <summary>Says no to requests that cannot be run, before anything is reserved for them.</summary>
internal static class RequestCheck
{
    private const int MostTopLogprobs = 20;

    public static void Check(GenerationRequest request, DecoderShape shape)
    {
        CheckTokens(request.PromptTokens, shape, most: shape.ContextLength - 1);
        Require(request.MaxTokens >= 1, nameof(request.MaxTokens), $"must be at least 1, not {request.MaxTokens}");
        Require(request.MinTokens >= 0, nameof(request.MinTokens), $"must be 0 or more, not {request.MinTokens}");
        Require(
            request.TopLogprobs is null or (>= 0 and <= MostTopLogprobs),
            nameof(request.TopLogprobs),
            $"must be 0 to {MostTopLogprobs}, not {request.TopLogprobs}");
        CheckSampling(request.Sampling, shape);
    }

    /// <param name="most">Most tokens the prompt may have.</param>
    public static void CheckTokens(int[] tokens, DecoderShape shape, int most)
    {
        Require(tokens.Length > 0, "prompt", "must hold at least one token");
        Require(
            tokens.Length <= most,
            "prompt",
            $"has {tokens.Length} tokens; the context of {shape.ContextLength} allows at most {most}");
        var bad = tokens.AsSpan().IndexOfAnyExceptInRange(0, shape.Vocabulary - 1);
        Require(bad < 0, "prompt", bad < 0 ? string.Empty : $"holds the id {tokens[bad]} at position {bad}; ids go from 0 to {shape.Vocabulary - 1}");
    }

    private static void CheckSampling(SamplingParameters sampling, DecoderShape shape)
    {
        Require(sampling.Temperature >= 0 && double.IsFinite(sampling.Temperature), nameof(sampling.Temperature), $"must be 0 (greedy) or more, not {sampling.Temperature}");
        Require(sampling.TopK >= 0, nameof(sampling.TopK), $"must be 0 (all) or more, not {sampling.TopK}");
        Require(sampling.TopP is >= 0 and <= 1, nameof(sampling.TopP), $"must be 0 to 1, not {sampling.TopP}");
        Require(sampling.MinP is >= 0 and <= 1, nameof(sampling.MinP), $"must be 0 to 1, not {sampling.MinP}");
        Require(sampling.RepetitionPenalty > 0 && double.IsFinite(sampling.RepetitionPenalty), nameof(sampling.RepetitionPenalty), $"must be above 0, not {sampling.RepetitionPenalty}");
        Require(double.IsFinite(sampling.PresencePenalty), nameof(sampling.PresencePenalty), "must be a finite number");
        Require(double.IsFinite(sampling.FrequencyPenalty), nameof(sampling.FrequencyPenalty), "must be a finite number");
        foreach (var (token, amount) in sampling.LogitBias ?? new Dictionary<int, float>())
        {
            Require(token >= 0 && token < shape.Vocabulary, nameof(sampling.LogitBias), $"names the id {token}; ids go from 0 to {shape.Vocabulary - 1}");
            Require(!float.IsNaN(amount) && !float.IsPositiveInfinity(amount), nameof(sampling.LogitBias), $"of id {token} must be a number");
        }
    }

    private static void Require(bool holds, string name, string what)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} {what}.", name);
        }
    }
}
