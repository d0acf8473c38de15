using System.Text.Json;
using LlmOs.Formats.Templates;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>
/// The language in small pieces: <c>jinja-cases.jsonl</c> holds what Jinja 3.1.6 (<c>ImmutableSandboxedEnvironment</c> with
/// <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls and transformers' <c>tojson</c>) makes of each template on Python 3.11.
/// </summary>
public class JinjaCaseTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(SharedFolder.Repository, "tests", "LlmOs.Formats.Tests", "Templates", "jinja-cases.jsonl"));

    [Fact]
    public void Every_piece_of_the_language_does_what_Jinja_does()
    {
        var variables = JsonDocument.Parse(Lines[0]).RootElement.GetProperty("variables");
        var faults = new List<string>();
        foreach (var line in Lines.Skip(1))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var template = row.GetProperty("template").GetString()!;
            var expected = row.TryGetProperty("raises", out var raises) ? Expected(raises.GetString()!) : row.GetProperty("expected").GetString()!;
            var actual = Outcome(template, variables);
            if (expected != actual)
            {
                faults.Add($"{template}\n  expected {expected}\n  actual   {actual}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {Lines.Length - 1} differ:\n{string.Join('\n', faults)}");
    }

    /// <summary>Messages of the parser are our own, all others Jinja's and Python's.</summary>
    private static string Expected(string raises) => raises.StartsWith("TemplateSyntaxError", StringComparison.Ordinal) || raises.StartsWith("SyntaxError", StringComparison.Ordinal)
        ? "refused as Syntax"
        : "refused: " + raises[(raises.IndexOf(": ", StringComparison.Ordinal) + 2)..];

    private static string Outcome(string template, JsonElement variables)
    {
        try
        {
            return Rendering.Render(ChatTemplate.Parse(template), variables).Text;
        }
        catch (TemplateException fault)
        {
            return fault.Fault == TemplateFault.Syntax ? "refused as Syntax" : "refused: " + fault.Message;
        }
    }
}
