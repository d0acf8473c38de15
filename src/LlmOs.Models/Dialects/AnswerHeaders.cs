using System.Text.Json;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Dialects;

/// <summary>Headers of inference routes, in whichever dialect.</summary>
internal static class AnswerHeaders
{
    /// <summary>Names fields of the request that had no effect.</summary>
    public const string Warning = "X-LlmOs-Warning";

    /// <summary>The version that answers, <c>name:3</c>.</summary>
    public const string ModelVersion = "x-llmos-model-version";

    private const int MaxNames = 20;
    private const int MaxLength = 64;

    /// <summary>Tells the caller which version answers.</summary>
    public static void Version(HttpResponse response, ServableModel model) => response.Headers[ModelVersion] = model.Reference;

    /// <summary>Tells the caller which fields had no effect; nulls ask for nothing and are not told.</summary>
    public static void Warn(HttpResponse response, IDictionary<string, JsonElement>? unknown, params IEnumerable<string> others)
    {
        var names = NamesOf(unknown)
            .Concat(others)
            .Distinct()
            .Take(MaxNames)
            .ToList();
        if (names.Count > 0)
        {
            response.Headers[Warning] = $"no effect: {string.Join(", ", names)}";
        }
    }

    /// <summary>The names, fit for a header, of fields that ask for something.</summary>
    public static IEnumerable<string> NamesOf(IDictionary<string, JsonElement>? unknown) => (unknown ?? new Dictionary<string, JsonElement>())
        .Where(field => field.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined))
        .Select(field => Shown(field.Key));

    /// <summary>A name that may stand in a header, whatever the request called the field.</summary>
    private static string Shown(string name) =>
        string.Concat(name.Take(MaxLength).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '?'));
}
