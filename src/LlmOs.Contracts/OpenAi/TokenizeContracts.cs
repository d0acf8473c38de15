using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>A conversation as the routes beside <c>/v1</c> take it.</summary>
public abstract record ConversationFields
{
    /// <summary>A model's name; absent: the only model there is.</summary>
    [DefaultValue("starter")]
    public string? Model { get; init; }

    /// <summary>A conversation, written by the model's chat template.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>Functions that the template may show.</summary>
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    /// <summary>Whether the prompt ends where the assistant begins to speak. Default true.</summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary>Whether the last message, the assistant's, is left open.</summary>
    public bool? ContinueFinalMessage { get; init; }

    /// <summary>Jinja in place of the model's template, or the name of one of the model's.</summary>
    [TextLength(1 << 18)]
    public string? ChatTemplate { get; init; }

    /// <summary>Further variables for the template.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>A text or a conversation to tokenise: <c>prompt</c> or <c>messages</c> as vLLM's clients send them, or <c>content</c> as llama.cpp's do.</summary>
public sealed record TokenizeRequest : ConversationFields
{
    /// <summary>vLLM: a text.</summary>
    [TextLength(4 << 20)]
    public string? Prompt { get; init; }

    /// <summary>vLLM: whether the tokenizer puts its own special tokens around. Default: true for a prompt, false for messages.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>vLLM: also give the tokens' spellings.</summary>
    public bool? ReturnTokenStrs { get; init; }

    /// <summary>llama.cpp: a text.</summary>
    [TextLength(4 << 20)]
    public string? Content { get; init; }

    /// <summary>llama.cpp: whether the tokenizer puts its own special tokens around. Default false.</summary>
    public bool? AddSpecial { get; init; }

    /// <summary>llama.cpp: whether special tokens spelt out in the text become those tokens. Default true.</summary>
    public bool? ParseSpecial { get; init; }

    /// <summary>llama.cpp: give each token with its text.</summary>
    public bool? WithPieces { get; init; }
}

/// <summary>The answer to a prompt or messages, as vLLM gives it.</summary>
/// <param name="MaxModelLen">Tokens of the model's context.</param>
/// <param name="TokenStrs">The tokens' spellings; null unless they were asked for.</param>
public sealed record TokenizeReply(int Count, int MaxModelLen, IReadOnlyList<int> Tokens, IReadOnlyList<string>? TokenStrs);

/// <summary>The answer to a content, as llama.cpp gives it: ids, or tokens with their texts.</summary>
public sealed record TokenizeContentReply(JsonElement Tokens);

/// <summary>A token with its text.</summary>
/// <param name="Piece">Its text, or its bytes as numbers where they are a part of a character.</param>
public sealed record TokenPiece(int Id, JsonElement Piece);

/// <summary>Ids to turn into text.</summary>
public sealed record DetokenizeRequest
{
    /// <summary>A model's name; absent: the only model there is.</summary>
    [DefaultValue("starter")]
    public string? Model { get; init; }

    /// <summary>Token ids.</summary>
    [Length(0, 4 << 20)]
    public IReadOnlyList<int>? Tokens { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>The text, under the name that vLLM gives it and under that of llama.cpp.</summary>
public sealed record DetokenizeReply(string Prompt, string Content);

/// <summary>A conversation to write as the model's template writes it.</summary>
public sealed record ApplyTemplateRequest : ConversationFields;

/// <summary>The prompt of a conversation.</summary>
public sealed record ApplyTemplateReply(string Prompt);
