using LlmOs.Engine.Sampling;

namespace LlmOs.Engine;

/// <summary>One sequence to generate: prompt ids, limits and how to choose tokens.</summary>
public sealed record GenerationRequest
{
    /// <summary>At least one id, all below the model's vocabulary, fewer than its context.</summary>
    public required int[] PromptTokens { get; init; }

    /// <summary>Maximum new tokens; the engine cuts it to the room that the context leaves.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>New tokens before which no end token can be chosen; 0 lets the sequence end at once.</summary>
    public int MinTokens { get; init; }

    public SamplingParameters Sampling { get; init; } = new();

    public TokenRules Rules { get; init; } = TokenRules.None;

    /// <summary>Beam search instead of one text; null for one text. Temperature and filters do not act on it.</summary>
    public BeamSettings? Beams { get; init; }

    /// <summary>What an encoder-decoder reads; empty for a decoder.</summary>
    public int[] SourceTokens { get; init; } = [];

    /// <summary>Ids that end the sequence; the id itself is the last piece, with <see cref="FinishReason.Stop"/>.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Number of most likely alternatives reported with each token (0 to 20); null: no log-probabilities at all.</summary>
    public int? TopLogprobs { get; init; }

    public EngineCaller Caller { get; init; } = EngineCaller.Nobody;
}

/// <summary>How a token is chosen from logits. The defaults change nothing: no hidden top-k.</summary>
public sealed record SamplingParameters
{
    /// <summary>0 is greedy; else logits are divided by it before the filters.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the k highest logits and all ties with the last; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps a token if the mass ranked above it is below p; 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Keeps tokens of at least this share of the best one's probability; 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>
    /// Keeps the tokens whose surprise is nearest to the expected one, up to this mass (locally typical sampling); 1 keeps all.
    /// </summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>Keeps tokens of at least this probability; 0 keeps all.</summary>
    public double EpsilonCutoff { get; init; }

    /// <summary>Keeps tokens of at least this probability, or of less where the distribution is flat (eta sampling); 0 keeps all.</summary>
    public double EtaCutoff { get; init; }

    /// <summary>Further filters, applied one after the other after the temperature and before top-k.</summary>
    public IReadOnlyList<ScoreFilter> Filters { get; init; } = [];

    /// <summary>Divides positive and multiplies negative logits of tokens seen in prompt and reply; 1 is none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>OpenAI's: subtracted once from each token already generated.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>OpenAI's: subtracted for each time a token was generated.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Added to logits by id.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>A seed makes the run repeatable, alone or among others; null draws one.</summary>
    public long? Seed { get; init; }
}

/// <summary>Why a sequence ended.</summary>
public enum FinishReason
{
    /// <summary>An end token or a stop string.</summary>
    Stop,

    /// <summary>The limit of new tokens or the end of the context.</summary>
    Length,
}

/// <summary>A candidate and its log-probability (natural, of the model's own softmax).</summary>
public readonly record struct TokenLogprob(int Token, float Logprob);

/// <summary>One new token of a sequence.</summary>
/// <param name="Token">The id chosen.</param>
/// <param name="Logprob">Its log-probability before temperature, penalties and masks; null unless asked for.</param>
/// <param name="TopLogprobs">The most likely candidates, best first; empty unless asked for.</param>
/// <param name="Finish">Set on the last piece.</param>
public sealed record GenerationPiece(int Token, float? Logprob, IReadOnlyList<TokenLogprob> TopLogprobs, FinishReason? Finish);
