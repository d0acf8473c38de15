using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>The numbers of a request in whichever dialect, checked field by field; what cannot be done is refused by its name.</summary>
internal static class GenerationRules
{
    /// <summary>Maximum choices for a prompt.</summary>
    public const int MaxChoices = 128;

    /// <summary>Maximum alternatives to a token.</summary>
    public const int MaxTopLogprobs = 20;

    /// <summary>Maximum tokens that a request may ask for.</summary>
    public const long MaxTokens = 1_000_000;

    /// <summary>Maximum texts that end a reply.</summary>
    public const int MaxStops = 4;

    private const int MaxStopLength = 1024;
    private const int MaxWords = 1024;

    /// <summary>Refuses one field unless it asks for nothing.</summary>
    public static void Refuse(string field, bool asksForNothing, string what)
    {
        if (!asksForNothing)
        {
            throw LlmOsException.Invalid(field, $"This server does not offer {what} yet, so '{field}' cannot be honoured. Leave the field out.");
        }
    }

    /// <summary>The model string with the adapter that a request names beside it: <c>model+adapter</c>.</summary>
    public static string? WithAdapter(string? model, JsonElement? adapter, string field)
    {
        if (string.IsNullOrEmpty(model) || IsNothing(adapter))
        {
            return model;
        }

        return adapter is { ValueKind: JsonValueKind.String } name && name.GetString() is { Length: > 0 } text
            ? $"{model}+{text}"
            : throw LlmOsException.Invalid(field, $"'{field}' must be the name of an adapter that was imported with this model as its base.");
    }

    /// <summary>Absent, null, or false.</summary>
    public static bool IsNothing(JsonElement? value) =>
        value is null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False };

    /// <summary>1 to 1,000,000; null lets the context decide.</summary>
    /// <param name="min">0 where a request may ask for the prompt alone.</param>
    public static int? CheckMaxTokens(string field, long? value, int min = 1) =>
        (int?)CheckWhole(field, value, min, MaxTokens, $"{min} to {MaxTokens.ToString("N0", CultureInfo.InvariantCulture)}");

    public static int CheckChoices(string field, int? value) => (int)(CheckWhole(field, value, 1, MaxChoices, $"1 to {MaxChoices}") ?? 1);

    public static int? CheckTopLogprobs(string field, int? value) => (int?)CheckWhole(field, value, 0, MaxTopLogprobs, $"0 to {MaxTopLogprobs}");

    public static double? CheckNumber(string field, double? value, double min, double max)
    {
        // NaN compares false with everything, so it is refused as well.
        if (value is null || (value >= min && value <= max))
        {
            return value;
        }

        throw LlmOsException.Invalid(field, $"'{field}' must be a number from {Number(min)} to {Number(max)}, not {Number(value.Value)}.");
    }

    public static long? CheckWhole(string field, long? value, long min, long max, string range) =>
        value is null || (value >= min && value <= max)
            ? value
            : throw LlmOsException.Invalid(field, $"'{field}' must be a whole number, {range}, not {value}.");

    /// <summary>Above 0; 1 changes nothing.</summary>
    public static double CheckPenalty(string field, double? value) =>
        value is null or (> 0 and <= 100)
            ? value ?? 1
            : throw LlmOsException.Invalid(field, $"'{field}' must be above 0 and at most 100, where 1 is none, not {Number(value.Value)}.");

    public static IReadOnlyList<string> CheckStop(string field, StopInput? stop)
    {
        var texts = stop?.Texts ?? [];
        if (texts.Count > MaxStops)
        {
            throw LlmOsException.Invalid(field, $"'{field}' may hold at most {MaxStops} texts, not {texts.Count}.");
        }

        if (texts.Any(t => t.Length is 0 or > MaxStopLength))
        {
            throw LlmOsException.Invalid(field, $"'{field}' must hold texts of 1 to {MaxStopLength} characters.");
        }

        return texts;
    }

    public static IReadOnlyList<int> CheckIds(string field, IReadOnlyList<int>? ids, int vocabulary)
    {
        foreach (var id in ids ?? [])
        {
            if (id < 0 || id >= vocabulary)
            {
                throw LlmOsException.Invalid(field, $"'{field}' holds the id {id}; the model's ids go from 0 to {vocabulary - 1}.");
            }
        }

        return ids ?? [];
    }

    /// <summary>Lists of ids, none of them empty.</summary>
    public static IReadOnlyList<int[]> CheckWords(string field, IReadOnlyList<IReadOnlyList<int>>? words, int vocabulary)
    {
        if (words is { Count: > MaxWords })
        {
            throw LlmOsException.Invalid(field, $"'{field}' may hold at most {MaxWords} lists, not {words.Count}.");
        }

        return [.. (words ?? []).Select((word, i) => word is { Count: > 0 }
            ? CheckIds($"{field}[{i}]", word, vocabulary).ToArray()
            : throw LlmOsException.Invalid($"{field}[{i}]", $"'{field}[{i}]' must be a list of at least one token id."))];
    }

    /// <summary>A share of 0 means the likeliest token alone, as the smallest share above it does.</summary>
    public static double NotNothing(double topP) => topP == 0 ? double.Epsilon : topP;

    /// <summary>As it is shown in a refusal.</summary>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
