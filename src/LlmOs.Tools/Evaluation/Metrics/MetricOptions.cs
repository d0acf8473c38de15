using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>The options of a request. A metric asks for each that it has; one that nobody asked for is refused by name.</summary>
internal sealed class MetricOptions(IReadOnlyDictionary<string, JsonElement> given)
{
    private readonly List<MetricOptionView> _known = [];

    /// <summary>Those that were asked for, with their defaults.</summary>
    public IReadOnlyList<MetricOptionView> Known => _known;

    public bool Flag(string name, bool standard) => Read(name, MetricDetail.Of(standard)) switch
    {
        null => standard,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "expected true or false."),
    };

    public int Whole(string name, int standard, int min, int max) => Read(name, MetricDetail.Of(standard)) switch
    {
        null => standard,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= min && number <= max => number,
        _ => throw Wrong(name, $"expected a whole number from {min} to {max}."),
    };

    /// <param name="standard">Null: the metric decides.</param>
    public double? Number(string name, double? standard, double min, double max) => Read(name, MetricDetail.Of(standard)) switch
    {
        null or { ValueKind: JsonValueKind.Null } => standard,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && number >= min && number <= max => number,
        _ => throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"expected a number from {min} to {max}.")),
    };

    /// <param name="words">What there is, by its word.</param>
    /// <param name="absent">Words that others know, with why they are not here.</param>
    public T Choice<T>(string name, string standard, IReadOnlyDictionary<string, T> words, IReadOnlyDictionary<string, string>? absent = null)
    {
        var value = Read(name, MetricDetail.Of(standard));
        if (value is null)
        {
            return words[standard];
        }

        var word = value.Value.ValueKind == JsonValueKind.String ? value.Value.GetString()! : null;
        return word is not null && words.TryGetValue(word, out var found) ? found
            : throw Wrong(name, $"{(word is not null && absent?.GetValueOrDefault(word) is { } why ? $"'{word}' {why} " : "")}expected one of: {string.Join(", ", words.Keys)}.");
    }

    /// <summary>Call it once the metric has asked for all that it has.</summary>
    public void RefuseUnknown(string metric)
    {
        if (given.Keys.FirstOrDefault(name => _known.All(option => option.Name != name)) is { } unknown)
        {
            throw LlmOsException.Invalid(Field(unknown), _known.Count == 0
                ? $"{Field(unknown)}: '{metric}' has no options."
                : $"{Field(unknown)}: '{metric}' has no such option. It has: {string.Join(", ", _known.Select(option => option.Name))}.");
        }
    }

    /// <summary>A refusal of one option's value.</summary>
    public static LlmOsException Wrong(string name, string message) => LlmOsException.Invalid(Field(name), $"{Field(name)}: {message}");

    private JsonElement? Read(string name, JsonElement standard)
    {
        _known.Add(new MetricOptionView(name, standard));
        return given.TryGetValue(name, out var value) ? value : null;
    }

    private static string Field(string name) => $"options.{(name.Length <= 64 ? name : name[..64])}";
}
