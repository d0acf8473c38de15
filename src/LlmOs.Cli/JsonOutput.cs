using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary>What <c>--json</c> prints: the API's own fields, one a line.</summary>
internal static class JsonOutput
{
    private static readonly JsonSerializerOptions Indented = new(LlmOsJson.Options) { WriteIndented = true };

    public static void Write<T>(T answer) => Console.Out.WriteLine(JsonSerializer.Serialize(answer, Indented));
}
