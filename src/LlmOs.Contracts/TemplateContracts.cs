using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>A conversation to write as a chat template writes it. Either a template or a model is named.</summary>
public sealed record RenderTemplateRequest
{
    /// <summary>Jinja, set up as transformers sets it up.</summary>
    [TextLength(1 << 18)]
    public string? Template { get; init; }

    /// <summary>A model whose own template is taken, with its special words.</summary>
    public string? Model { get; init; }

    /// <summary>The messages, given to the template as they are.</summary>
    [Length(0, 10_000)]
    public required IReadOnlyList<IReadOnlyDictionary<string, JsonElement>> Messages { get; init; }

    /// <summary>Functions that the template may show; absent and null are none.</summary>
    [Length(0, 10_000)]
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    /// <summary>Documents that the template may show; absent and null are none.</summary>
    [Length(0, 10_000)]
    public IReadOnlyList<JsonElement>? Documents { get; init; }

    /// <summary>Whether the text ends where the assistant begins to speak.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>What <c>bos_token</c> stands for; absent: nothing, or what the model says.</summary>
    public string? BosToken { get; init; }

    /// <summary>What <c>eos_token</c> stands for; absent: nothing, or what the model says.</summary>
    public string? EosToken { get; init; }

    /// <summary>What <c>strftime_now</c> shows, such as <c>2026-02-03T04:05:06</c>; absent: the server's time.</summary>
    public DateTime? Now { get; init; }

    /// <summary>Further variables, such as <c>{"enable_thinking": false}</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }
}

/// <summary>What the template wrote.</summary>
public sealed record RenderTemplateReply(string Text);
