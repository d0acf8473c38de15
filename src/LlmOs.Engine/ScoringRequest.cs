namespace LlmOs.Engine;

/// <summary>A prompt whose own tokens are to be scored; nothing is generated.</summary>
public sealed record ScoringRequest
{
    /// <summary>At least one id, all below the model's vocabulary, at most as many as its context holds.</summary>
    public required int[] Tokens { get; init; }

    /// <summary>The first token that is scored, given all before it; 1 or more. The prompt may begin with cached tokens as far as none is scored.</summary>
    public int From { get; init; } = 1;

    /// <summary>Number of most likely alternatives reported with each token (0 to 20).</summary>
    public int Top { get; init; }

    public EngineCaller Caller { get; init; } = EngineCaller.Nobody;
}

/// <summary>A token of a prompt, given all before it.</summary>
/// <param name="Logprob">Natural, of the model's own softmax.</param>
/// <param name="IsLikeliest">Whether no other token was likelier.</param>
/// <param name="Top">The most likely tokens at its place, best first.</param>
public readonly record struct ScoredToken(int Token, double Logprob, bool IsLikeliest, IReadOnlyList<TokenLogprob> Top);
