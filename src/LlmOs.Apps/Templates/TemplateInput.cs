using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Apps.Templates;

/// <summary>One question of a template.</summary>
/// <param name="Default">As it would stand in a prompt; null when a request must answer.</param>
internal sealed record TemplateInput(
    string Name,
    TemplateInputType Type,
    string Label,
    string Help,
    string? Default,
    double? Minimum,
    double? Maximum,
    int? MaxLength,
    IReadOnlyList<string> Choices)
{
    public TemplateInputView ToView() => new(
        Name, Type, Label, Help, Required: Default is null, Default is null ? null : AsJson(Default), Minimum, Maximum, MaxLength, Choices);

    /// <summary>The value as it goes into a prompt, or what is wrong with it: exactly one of both.</summary>
    public (string? Text, string? Fault) Read(JsonElement value) => Type switch
    {
        TemplateInputType.Text => ReadText(value),
        TemplateInputType.Choice => ReadChoice(value),
        TemplateInputType.WholeNumber or TemplateInputType.Number => ReadNumber(value),
    };

    /// <summary>The same for a value that is written as text, as in a template's file.</summary>
    public (string? Text, string? Fault) Read(string value) => Read(AsJson(value));

    private (string?, string?) ReadText(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return (null, $"expected a text, got {Describe(value)}.");
        }

        var text = value.GetString()!;
        return string.IsNullOrWhiteSpace(text) ? (null, "must not be empty.")
            : text.Length > MaxLength ? (null, $"has {text.Length} characters; at most {MaxLength} are accepted.")
            : (text, null);
    }

    private (string?, string?) ReadChoice(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && Choices.Contains(value.GetString()!)
            ? (value.GetString(), null)
            : (null, $"expected one of {string.Join(", ", Choices)}.");

    private (string?, string?) ReadNumber(JsonElement value)
    {
        var kind = Type == TemplateInputType.WholeNumber ? "a whole number" : "a number";
        var range = $"{kind} from {Word(Minimum)} to {Word(Maximum)}";
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            return (null, $"expected {range}, got {Describe(value)}.");
        }

        var fits = number >= Minimum && number <= Maximum && (Type == TemplateInputType.Number || number == Math.Floor(number));
        return fits ? (Word(number), null) : (null, $"expected {range}, got {Word(number)}.");
    }

    private static string Word(double? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null or JsonValueKind.Undefined => "null",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
    };

    private JsonElement AsJson(string value) =>
        Type is TemplateInputType.WholeNumber or TemplateInputType.Number && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? JsonSerializer.SerializeToElement(number, LlmOsJson.Options)
            : JsonSerializer.SerializeToElement(value, LlmOsJson.Options);
}
