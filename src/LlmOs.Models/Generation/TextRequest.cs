using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>How to generate, with every number checked: what all routes make of their own fields.</summary>
public sealed record TextRequest
{
    public SamplingParameters Sampling { get; init; } = new();

    public TokenRules Rules { get; init; } = TokenRules.None;

    /// <summary>A beam search; null for none.</summary>
    public BeamSettings? Beams { get; init; }

    /// <summary>Fewest tokens, the prompt among them; 0: no such limit.</summary>
    public int MinLength { get; init; }

    /// <summary>Maximum new tokens; the engine cuts it to the room that the context leaves. 0 generates nothing.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Maximum tokens, the prompt among them; null: no such limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>No end token before so many new tokens.</summary>
    public int MinTokens { get; init; }

    /// <summary>Texts that end the reply.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Leave the token that completes a stop text in the reply.</summary>
    public bool KeepStop { get; init; }

    /// <summary>Ids that end the reply, besides the model's own.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Alternatives reported with each token; null: no log-probabilities.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>The reply continues the prompt's text, rather than standing alone; decides whether a first blank is kept.</summary>
    public bool ContinuesPrompt { get; init; } = true;
}
