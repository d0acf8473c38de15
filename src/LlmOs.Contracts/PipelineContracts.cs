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
    public PipelineParameters? Parameters { get; init; }

    /// <summary>The model; null takes the task's default.</summary>
    public string? Model { get; init; }

    /// <summary>Answer with server-sent events, as text-generation-inference does.</summary>
    public bool? Stream { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>Arguments of the pipelines; those that are not a task's own have no effect on it.</summary>
public sealed record PipelineParameters : PipelineGenerationArguments
{
    /// <summary>What <see cref="PipelineGenerationArguments.TopK"/> holds where the request states null: all.</summary>
    public const int All = -1;

    /// <summary>Arguments of generation in an object of their own, as Hugging Face's clients send them; one that stands outside wins.</summary>
    public PipelineGenerationArguments? GenerateParameters { get; init; }

    /// <summary>Texts that end the generation; the token that completes one stays.</summary>
    public OpenAi.StopInput? Stop { get; init; }

    /// <summary>The same, by the pipeline's name.</summary>
    public OpenAi.StopInput? StopSequence { get; init; }

    /// <summary>Whether the prompt is put before the new text. Default true.</summary>
    public bool? ReturnFullText { get; init; }

    /// <summary>Report token ids of prompt and new text instead of the text.</summary>
    public bool? ReturnTensors { get; init; }

    /// <summary>Read by the model before the input, not returned.</summary>
    public string? Prefix { get; init; }

    /// <summary>Whether the tokenizer's special tokens are put around the input. Default as the tokenizer does.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>Take away blanks before punctuation and short forms in the text, as transformers does it. Default: leave the text as it is.</summary>
    public bool? CleanUpTokenizationSpaces { get; init; }

    /// <summary>Report the reason of the end and the tokens with their log-probabilities.</summary>
    public bool? Details { get; init; }

    /// <summary>
    /// Cut what is too long: true or false. For <c>text-generation</c> also a number, as text-generation-inference takes it: the prompt's
    /// last so many tokens are kept.
    /// </summary>
    public JsonElement? Truncate { get; init; }

    /// <summary>
    /// The same by transformers' name: true, false, or which of two texts is cut: <c>longest_first</c>, <c>only_first</c>,
    /// <c>only_second</c>; <c>do_not_truncate</c>. The cut goes to the smaller of the model's positions and the tokenizer's <c>model_max_length</c>.
    /// </summary>
    public JsonElement? Truncation { get; init; }

    /// <summary><c>right</c> (default) cuts the end, <c>left</c> the beginning.</summary>
    public string? TruncationDirection { get; init; }

    /// <summary>Translation by mBART: the source's language code.</summary>
    public string? SrcLang { get; init; }

    /// <summary>Translation by mBART: the target's language code.</summary>
    public string? TgtLang { get; init; }

    /// <summary>Text classification: <c>softmax</c>, <c>sigmoid</c> or <c>none</c>; default as the model's kind asks.</summary>
    public string? FunctionToApply { get; init; }

    /// <summary>Zero-shot classification: labels as a list, or a text with commas.</summary>
    public JsonElement? CandidateLabels { get; init; }

    /// <summary>Zero-shot classification: a sentence with {} where the label goes. Default <c>This example is {}.</c></summary>
    public string? HypothesisTemplate { get; init; }

    /// <summary>Zero-shot classification: judge each label by itself.</summary>
    public bool? MultiLabel { get; init; }

    /// <summary>Token classification: <c>none</c> (default), <c>simple</c>, <c>first</c>, <c>average</c> or <c>max</c>.</summary>
    public string? AggregationStrategy { get; init; }

    /// <summary>Token classification: labels left out. Default <c>["O"]</c>.</summary>
    public IReadOnlyList<string>? IgnoreLabels { get; init; }

    /// <summary>Token classification: a long text goes in windows that overlap by so many tokens.</summary>
    public int? Stride { get; init; }

    /// <summary>Fill-mask: only these words.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>Question answering and token classification: tokens of a window.</summary>
    public int? MaxSeqLen { get; init; }

    /// <summary>Question answering: tokens by which windows overlap. Default half a window, at most 128.</summary>
    public int? DocStride { get; init; }

    /// <summary>Question answering: tokens of a question; what is beyond is cut. Default: all.</summary>
    public int? MaxQuestionLen { get; init; }

    /// <summary>Question answering: tokens of an answer. Default 15.</summary>
    public int? MaxAnswerLen { get; init; }

    /// <summary>Question answering: whether "no answer" may be one.</summary>
    public bool? HandleImpossibleAnswer { get; init; }

    /// <summary>Question answering: widen answers to whole words. Default true.</summary>
    public bool? AlignToWords { get; init; }

    /// <summary>Feature extraction: give each state length one.</summary>
    public bool? Normalize { get; init; }

    /// <summary>Feature extraction and sentence similarity: which of the model's prompts is put before each text. Default: the model's own choice.</summary>
    public string? PromptName { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Grammar { get; init; }

    /// <summary>An adapter of the model, by its name: as <c>model+adapter</c>.</summary>
    public JsonElement? AdapterId { get; init; }
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

/// <summary>A label and its score.</summary>
public sealed record LabelScore(string Label, float Score);

/// <summary>Labels by score, best first.</summary>
public sealed record ZeroShotAnswer(string Sequence, IReadOnlyList<string> Labels, IReadOnlyList<float> Scores);

/// <summary>A labelled stretch of a text: of a token <see cref="Entity"/> and <see cref="Index"/>, of a group <see cref="EntityGroup"/>.</summary>
public sealed record EntityAnswer
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Entity { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EntityGroup { get; init; }

    public float Score { get; init; }

    /// <summary>The token's place, special ones counted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Index { get; init; }

    public string Word { get; init; } = "";

    /// <summary>First character in the text; characters are Unicode code points, so that an emoji is one.</summary>
    public int Start { get; init; }

    /// <summary>The character after the last.</summary>
    public int End { get; init; }
}

/// <summary>A word for a mask.</summary>
/// <param name="Sequence">The text with the word in it.</param>
public sealed record MaskFilling(float Score, int Token, string TokenStr, string Sequence);

/// <summary>An answer that stands in a context at [start, end), counted in characters: Unicode code points, so that an emoji is one.</summary>
public sealed record SpanAnswer(float Score, int Start, int End, string Answer);

/// <summary>A text that an encoder-decoder wrote.</summary>
public sealed record TextAnswer(string GeneratedText);

/// <summary>A summary.</summary>
public sealed record SummaryAnswer(string SummaryText);

/// <summary>A translation.</summary>
public sealed record TranslationAnswer(string TranslationText);
