using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public class OpenApiTests(ServerProcess server)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task Every_operation_has_a_summary_an_example_and_error_answers()
    {
        var document = await OpenApiDocument.ReadAsync(server);

        var faults = new List<string>();
        foreach (var operation in document.Operations)
        {
            if (string.IsNullOrWhiteSpace((string?)operation.Node["summary"]))
            {
                faults.Add($"{operation} has no summary (WithSummary).");
            }

            // A body without a field needs none to show; the document leaves an empty one out.
            if (operation.BodyExample is null && operation.Node["requestBody"]?["content"]?["application/json"] is { } body
                && document.Forms(body["schema"]).Any(form => form["properties"]?.AsObject().Count > 0))
            {
                faults.Add($"{operation} has no request example (WithRequestExample).");
            }

            var answers = operation.Node["responses"]!.AsObject();
            if (!answers.Any(a => a.Key.StartsWith('2')))
            {
                faults.Add($"{operation} says nothing of its success (Produces).");
            }

            string[] needed = operation.IsOpen ? ["500"] : ["401", "403", "500"];
            faults.AddRange(needed.Where(status => answers[status]?["content"]?.AsObject().Any(c => c.Value?["example"] is not null) != true)
                .Select(status => $"{operation} does not show its {status}."));
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>With <c>LLMOS_UPDATE_SNAPSHOTS=1</c> the file is written instead of compared.</summary>
    [Fact]
    public async Task The_document_is_the_one_that_was_reviewed()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        var text = Sorted(document.Root)!.ToJsonString(Indented) + "\n";
        var file = Path.Combine(SharedFolder.Repository, "docs", "api", "openapi.json");
        if (Environment.GetEnvironmentVariable("LLMOS_UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text);
        }

        Assert.True(File.Exists(file) && await File.ReadAllTextAsync(file) == text, "The API changed: run this test with LLMOS_UPDATE_SNAPSHOTS=1 and review the change of docs/api/openapi.json.");
    }

    /// <summary>The order in which features register must not show as a change.</summary>
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        null => null,
        _ => node.DeepClone(),
    };
}
