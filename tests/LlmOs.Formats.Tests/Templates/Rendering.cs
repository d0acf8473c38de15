using System.Text.Json;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>Rendering in one line.</summary>
internal static class Rendering
{
    public static readonly DateTimeOffset Now = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    /// <summary>The limits as they are, but for the time: a test must not fail because the machine is busy.</summary>
    private static readonly TemplateLimits Patient = TemplateLimits.Default with { Time = TimeSpan.FromHours(1) };

    /// <summary>Renders with variables written as JSON, all of them a user's.</summary>
    public static RenderedText Render(string template, string variables = "{}", TemplateLimits? limits = null, TimeProvider? clock = null) =>
        Render(ChatTemplate.Parse(template), JsonDocument.Parse(variables).RootElement, limits, clock);

    public static RenderedText Render(ChatTemplate template, JsonElement variables, TemplateLimits? limits = null, TimeProvider? clock = null, DateTimeOffset? now = null) =>
        template.Render(Variables(variables), limits ?? (clock is null ? Patient : TemplateLimits.Default), now ?? Now, clock ?? TimeProvider.System, CancellationToken.None);

    public static Dictionary<string, TemplateValue> Variables(JsonElement json) =>
        json.EnumerateObject().ToDictionary(p => p.Name, p => TemplateValue.FromJson(p.Value, fromUser: true));

    /// <summary>The fault that a template gives.</summary>
    public static TemplateException Fault(string template, string variables = "{}", TemplateLimits? limits = null, TimeProvider? clock = null) =>
        Assert.Throws<TemplateException>(() => Render(template, variables, limits, clock));
}
