using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>A pipeline's request in Hugging Face's shape; what <c>inputs</c> may be depends on the task.</summary>
public sealed record PipelineRequest
{
    /// <summary>For <c>text-generation</c>: a text, a list of texts, a conversation, or a list of conversations.</summary>
    [JsonConverter(typeof(ModelTextElementConverter))]
    public required JsonElement Inputs { get; init; }

    /// <summary>The task's arguments, by transformers' names.</summary>
    public TextGenerationParameters? Parameters { get; init; }

    /// <summary>The model; null takes the task's default.</summary>
    public string? Model { get; init; }

    /// <summary>Answer with server-sent events, as text-generation-inference does.</summary>
    public bool? Stream { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>Arguments of the <c>text-generation</c> pipeline.</summary>
public sealed record TextGenerationParameters
{
    /// <summary>Most new tokens, 1 to 1,000,000; default: the model's own, else 256. Cut to the room that the prompt leaves.</summary>
    public long? MaxNewTokens { get; init; }

    /// <summary>Most tokens, the prompt included; <see cref="MaxNewTokens"/> wins.</summary>
    public long? MaxLength { get; init; }

    /// <summary>No end token before so many new tokens.</summary>
    public int? MinNewTokens { get; init; }

    /// <summary>Draw tokens at random instead of taking the likeliest; default: the model's own, else false.</summary>
    public bool? DoSample { get; init; }

    /// <summary>Above 0, up to 2; only when sampling.</summary>
    public double? Temperature { get; init; }

    /// <summary>Only when sampling.</summary>
    public int? TopK { get; init; }

    /// <summary>Above 0, up to 1; only when sampling.</summary>
    public double? TopP { get; init; }

    /// <summary>0 to 1; only when sampling.</summary>
    public double? MinP { get; init; }

    /// <summary>Above 0; 1 is none.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Makes a run repeatable.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts that end the generation; the token that completes one stays.</summary>
    public OpenAi.StopInput? Stop { get; init; }

    /// <summary>The same, by the pipeline's name.</summary>
    public OpenAi.StopInput? StopSequence { get; init; }

    /// <summary>The same, by <c>generate</c>'s name.</summary>
    public OpenAi.StopInput? StopStrings { get; init; }

    /// <summary>Whether the prompt is put before the new text. Default true.</summary>
    public bool? ReturnFullText { get; init; }

    /// <summary>Report token ids of prompt and new text instead of the text.</summary>
    public bool? ReturnTensors { get; init; }

    /// <summary>How many texts for each input. Default 1.</summary>
    public int? NumReturnSequences { get; init; }

    /// <summary>Read by the model before the input, not returned.</summary>
    public string? Prefix { get; init; }

    /// <summary>Whether the tokenizer's special tokens are put around the input. Default as the tokenizer does.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>Report the reason of the end and the tokens with their log-probabilities.</summary>
    public bool? Details { get; init; }

    /// <summary>Refused unless 1 until beams are built.</summary>
    public int? NumBeams { get; init; }

    /// <summary>Refused unless 0 until it is built.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>Refused unless 1 until it is built.</summary>
    public double? TypicalP { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Grammar { get; init; }

    /// <summary>Refused until adapters are built.</summary>
    public JsonElement? AdapterId { get; init; }

    /// <summary>Arguments without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>One generated text. Which fields are there depends on the arguments.</summary>
public sealed record GeneratedText
{
    /// <summary>The text, or for a conversation the messages with the new one.</summary>
    [JsonPropertyName("generated_text")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public object? Text { get; init; }

    /// <summary>Ids of prompt and new tokens.</summary>
    [JsonPropertyName("generated_token_ids")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GenerationDetails? Details { get; init; }
}

/// <summary>How a generation went, in the words of text-generation-inference.</summary>
/// <param name="FinishReason"><c>length</c>, <c>eos_token</c> or <c>stop_sequence</c>.</param>
/// <param name="Prefill">Always empty: the prompt's log-probabilities are on <c>/v1/completions</c>.</param>
public sealed record GenerationDetails(string FinishReason, int GeneratedTokens, long? Seed, IReadOnlyList<GeneratedToken> Prefill, IReadOnlyList<GeneratedToken> Tokens);

/// <summary>One new token.</summary>
public sealed record GeneratedToken(int Id, string Text, float Logprob, bool Special);

/// <summary>An event of a streamed generation; the last has the whole text.</summary>
public sealed record GenerationStreamEvent(int Index, GeneratedToken Token, string? GeneratedText, GenerationDetails? Details);

/// <summary>A message of a conversation as the pipeline takes and gives it.</summary>
public sealed record PipelineMessage(string Role, string Content);
