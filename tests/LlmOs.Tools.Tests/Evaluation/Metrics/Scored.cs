using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Testing;
using LlmOs.Tools.Evaluation.Metrics;

namespace LlmOs.Tools.Tests.Evaluation.Metrics;

/// <summary>Scores texts as the route does, and reads recorded scores.</summary>
internal static class Scored
{
    public static async Task<MetricReply> ByAsync(string metric, string[] predictions, string[][] references, object? options = null)
    {
        using var run = new MetricRun();
        var request = new MetricRequest
        {
            Predictions = predictions,
            References = references,
            Options = options is null ? null : JsonSerializer.SerializeToElement(options).Deserialize<Dictionary<string, JsonElement>>(),
        };
        return await run.ScoreAsync(metric, request, TestContext.Current.CancellationToken);
    }

    public static JsonElement Vectors(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "metrics", file)));
        return document.RootElement.Clone();
    }

    public static string Text(this JsonElement row, string name) => row.GetProperty(name).GetString()!;

    public static double Number(this JsonElement row, string name) => row.GetProperty(name).GetDouble();

    public static string[] Texts(this JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString()!)];
}
