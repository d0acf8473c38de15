using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>What an input of a template holds.</summary>
public enum TemplateInputType
{
    /// <summary>Text, with line breaks allowed.</summary>
    Text,

    /// <summary>A whole number.</summary>
    [JsonStringEnumMemberName("integer")]
    WholeNumber,

    /// <summary>Any finite number.</summary>
    Number,

    /// <summary>One of a list of words.</summary>
    Choice,
}

/// <summary>One question that a template asks, with the limits that a request is checked against.</summary>
/// <param name="Name">The key in a request's <c>inputs</c>.</param>
/// <param name="Label">Shown beside the field.</param>
/// <param name="Help">A sentence for the person who fills it in.</param>
/// <param name="Required">Whether a request must give it; when not, <paramref name="Default"/> stands in.</param>
/// <param name="Default">The value of a request that leaves it out; null when it is required.</param>
/// <param name="Minimum">Smallest number.</param>
/// <param name="Maximum">Largest number.</param>
/// <param name="MaxLength">Most characters of a text.</param>
/// <param name="Choices">The words of a <see cref="TemplateInputType.Choice"/>; else empty.</param>
public sealed record TemplateInputView(
    string Name,
    TemplateInputType Type,
    string Label,
    string Help,
    bool Required,
    JsonElement? Default,
    double? Minimum,
    double? Maximum,
    int? MaxLength,
    IReadOnlyList<string> Choices);

/// <summary>A template from which an app is made.</summary>
/// <param name="Model">The model it was written for; an app may name another.</param>
public sealed record TemplateView(string Name, string Title, string Description, string Model, IReadOnlyList<TemplateInputView> Inputs);

/// <summary>How an app generates; what is null is as the template says.</summary>
public sealed record AppSettings
{
    /// <summary>0 always takes the likeliest token.</summary>
    [Range(0.0, 2.0)]
    public double? Temperature { get; init; }

    /// <summary>Keeps the k likeliest tokens; 0 keeps all.</summary>
    [Range(0, 100_000)]
    public int? TopK { get; init; }

    /// <summary>Keeps the likeliest tokens that make up this share of the probability; 1 keeps all.</summary>
    [Range(0.0, 1.0)]
    public double? TopP { get; init; }

    /// <summary>Above 1, tokens that were there already become less likely.</summary>
    [Range(0.1, 2.0)]
    public double? RepetitionPenalty { get; init; }

    /// <summary>With a seed the same inputs give the same output.</summary>
    [Range(0L, long.MaxValue)]
    public long? Seed { get; init; }
}

/// <summary>Makes an app from a template.</summary>
public sealed record AppRequest
{
    /// <summary>A name from <c>GET /api/v1/templates</c>.</summary>
    [StringLength(64, MinimumLength = 1)]
    public required string Template { get; init; }

    /// <summary>The app's name in addresses, not taken yet.</summary>
    [RegularExpression("^[a-z0-9][a-z0-9-]{0,62}$")]
    public required string Slug { get; init; }

    /// <summary>A model string as <c>/v1</c> takes it; null takes the template's own.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string? Model { get; init; }

    public AppSettings? Settings { get; init; }
}

/// <summary>A new app. Its key is shown here and never again.</summary>
/// <param name="Page">Path of the page where people use it.</param>
/// <param name="Openapi">Path of its OpenAPI document.</param>
public sealed record AppCreated(string Slug, string Key, string Page, string Openapi);

/// <summary>An app as the API shows it.</summary>
public sealed record AppView(
    string Slug,
    string Template,
    string Title,
    string Model,
    AppSettings Settings,
    string Page,
    string Openapi,
    DateTimeOffset CreatedAt);

/// <summary>One use of an app.</summary>
public sealed record InvokeRequest
{
    /// <summary>Values by the names of the template's inputs; texts and numbers.</summary>
    [MaxLength(64)]
    public required IReadOnlyDictionary<string, JsonElement> Inputs { get; init; }

    /// <summary>Whether the answer comes as server-sent events, piece by piece.</summary>
    public bool? Stream { get; init; }
}

/// <summary>Tokens that one use of an app took.</summary>
public sealed record AppUsage(int PromptTokens, int CompletionTokens, int TotalTokens);

/// <summary>What an app answers.</summary>
/// <param name="Output">Texts by the names that the template gives its outputs.</param>
/// <param name="Model">The version that answered, as <c>name:3</c>.</param>
public sealed record InvokeReply(IReadOnlyDictionary<string, string> Output, string Model, AppUsage Usage);

/// <summary>One event of a streamed answer; the last one carries <see cref="Model"/> and <see cref="Usage"/> and is followed by <c>[DONE]</c>.</summary>
/// <param name="Delta">New text by output name; empty in the last event.</param>
public sealed record InvokeEvent(IReadOnlyDictionary<string, string> Delta, string? Model, AppUsage? Usage);
