using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>The body of <c>POST /v1/embeddings</c>.</summary>
public sealed record EmbeddingRequest
{
    /// <summary>The model; its task is to read texts.</summary>
    public string? Model { get; init; }

    /// <summary>A text, a list of texts, a list of token ids, or a list of such lists. Ids are used as they are.</summary>
    public PromptInput? Input { get; init; }

    /// <summary><c>float</c> (default), or <c>base64</c>: the little-endian 32-bit floats.</summary>
    public string? EncodingFormat { get; init; }

    /// <summary>Only so many components, scaled to length one again; at most the model's own number.</summary>
    public int? Dimensions { get; init; }

    /// <summary>LlmOs: what to do with a text that is too long: <c>error</c> (default), <c>right</c> cuts its end, <c>left</c> its beginning.</summary>
    public string? Truncation { get; init; }

    /// <summary>LlmOs: which of the model's prompts is put before each text. Default: the model's own choice.</summary>
    public string? PromptName { get; init; }

    /// <summary>Ignored.</summary>
    public string? User { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>The vectors of a request's texts, in their order.</summary>
public sealed record EmbeddingList([property: JsonPropertyName("object")] string Kind, IReadOnlyList<EmbeddingObject> Data, string Model, EmbeddingUsage Usage);

/// <param name="Embedding">A list of numbers, or base64.</param>
public sealed record EmbeddingObject([property: JsonPropertyName("object")] string Kind, int Index, object Embedding);

/// <summary>Tokens that a request cost, special ones included.</summary>
public sealed record EmbeddingUsage(int PromptTokens, int TotalTokens, LlmOsUsage Llmos);
