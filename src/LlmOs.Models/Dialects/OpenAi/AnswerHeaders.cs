using System.Globalization;
using System.Text.Json;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Headers that every inference route gives.</summary>
internal static class AnswerHeaders
{
    /// <summary>Names fields of the request that had no effect.</summary>
    public const string Warning = "X-LlmOs-Warning";

    /// <summary>The version that answers, <c>name:3</c>.</summary>
    public const string ModelVersion = "x-llmos-model-version";

    /// <summary>Milliseconds from the request to the answer's first byte.</summary>
    public const string ProcessingTime = "openai-processing-ms";

    private const int MaxNames = 20;
    private const int MaxLength = 64;

    /// <summary>Makes every route of the group tell its processing time.</summary>
    public static RouteGroupBuilder WithProcessingTime(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter((invocation, next) =>
        {
            var http = invocation.HttpContext;
            var clock = http.RequestServices.GetRequiredService<TimeProvider>();
            var began = clock.GetTimestamp();
            http.Response.OnStarting(() =>
            {
                http.Response.Headers[ProcessingTime] = ((long)clock.GetElapsedTime(began).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
                return Task.CompletedTask;
            });
            return next(invocation);
        });
        return group;
    }

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
