using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>What <c>/v1/completions</c> and <c>/v1/chat/completions</c> have in common. Every field but the model may be absent or null.</summary>
public abstract record GenerationFields
{
    /// <summary>A model's name, <c>name:3</c>, <c>name:alias</c> or <c>name@alias</c>.</summary>
    [DefaultValue("starter")]
    public string? Model { get; init; }

    /// <summary>Most new tokens, 1 to 1,000,000; cut to the room that the prompt leaves.</summary>
    public long? MaxTokens { get; init; }

    /// <summary>0 to 2; 0 always takes the most likely token. Default 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>0 to 1: sample from the most likely tokens that together have this probability. Default 1.</summary>
    public double? TopP { get; init; }

    /// <summary>How many choices for each prompt, 1 to 128. Default 1.</summary>
    public int? N { get; init; }

    /// <summary>Answer with server-sent events.</summary>
    public bool? Stream { get; init; }

    /// <summary>Only with <see cref="Stream"/>.</summary>
    public StreamOptions? StreamOptions { get; init; }

    /// <summary>Up to four texts that end the reply; they are not part of it.</summary>
    public StopInput? Stop { get; init; }

    /// <summary>-2 to 2: subtracted from the logits of tokens that the reply already holds.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>-2 to 2: subtracted for each time the reply holds the token.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Token id to a number from -100 (never) to 100 (always), added to its logit.</summary>
    public IReadOnlyDictionary<string, double>? LogitBias { get; init; }

    /// <summary>The same seed and request give the same reply, alone or beside others.</summary>
    public long? Seed { get; init; }

    /// <summary>LlmOs: sample from the k most likely tokens; 0 or absent: from all.</summary>
    public int? TopK { get; init; }

    /// <summary>LlmOs: 0 to 1, drops tokens below this share of the best one's probability.</summary>
    public double? MinP { get; init; }

    /// <summary>LlmOs: keeps tokens whose logit is at most so many standard deviations below the best; 0, less, or absent: all.</summary>
    public double? TopNSigma { get; init; }

    /// <summary>LlmOs: above 0, 1 is none; weakens tokens that prompt or reply hold, as transformers does.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>LlmOs: no end token before this many new tokens.</summary>
    public int? MinTokens { get; init; }

    /// <summary>LlmOs: seconds, above 0, after which the request ends with the error <c>timeout</c> (504), wherever it stands: loading, waiting, writing.</summary>
    public double? Timeout { get; init; }

    /// <summary>LlmOs: seconds that the model stays loaded while nobody uses it; -1: until its memory is needed.</summary>
    public double? KeepAlive { get; init; }

    /// <summary>LlmOs: further token ids that end the reply.</summary>
    public IReadOnlyList<int>? StopTokenIds { get; init; }

    /// <summary>LlmOs: report the ids of prompt and reply in each choice.</summary>
    public bool? ReturnTokenIds { get; init; }

    /// <summary>LlmOs: above 0, up to 1, where 1 is none; keeps the tokens whose surprise is nearest to the expected one, up to this mass.</summary>
    public double? TypicalP { get; init; }

    /// <summary>LlmOs: no group of so many tokens twice in prompt and reply; 0 is no rule.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>LlmOs: beam search with so many beams, at most the server's slots; `n` texts come back, best first, with `sequence_score`.</summary>
    public int? NumBeams { get; init; }

    /// <summary>LlmOs, beams: the power of a text's length by which its log-probability is divided. Default 1.</summary>
    public double? LengthPenalty { get; init; }

    /// <summary>LlmOs, beams: true, false (default) or "never".</summary>
    public JsonElement? EarlyStopping { get; init; }

    /// <summary>LlmOs: lists of token ids that do not come.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? BadWordsIds { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Grammar { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Regex { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Choice { get; init; }

    /// <summary>An adapter of the model, by its name: as <c>model+adapter</c>.</summary>
    public JsonElement? Adapter { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>How a stream is written.</summary>
public sealed record StreamOptions
{
    /// <summary>One more chunk, without choices, tells the usage.</summary>
    public bool? IncludeUsage { get; init; }

    /// <summary>Accepted; chunks are never padded here.</summary>
    public bool? IncludeObfuscation { get; init; }
}
