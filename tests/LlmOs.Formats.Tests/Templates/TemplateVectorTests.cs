using System.Globalization;
using System.Text.Json;
using LlmOs.Formats.Templates;
using LlmOs.Formats.Templates.Values;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>Real templates over real conversations, against what Jinja set up as transformers sets it up made of them.</summary>
public class TemplateVectorTests
{
    /// <summary>All rows count, also those where other engines disagree with Jinja.</summary>
    private const int Rows = 324, MustRaise = 69;

    [Fact]
    public void Every_row_is_equal_byte_for_byte_and_every_refusal_has_the_templates_words()
    {
        var folder = SharedFolder.Require("vectors", "chat-templates");
        var templates = new Dictionary<string, ChatTemplate>();
        var faults = new List<string>();
        var (rows, raised) = (0, 0);
        foreach (var line in File.ReadLines(Path.Combine(folder, "render.jsonl")))
        {
            var row = JsonDocument.Parse(line).RootElement;
            var name = row.GetProperty("template").GetString()!;
            if (!templates.TryGetValue(name, out var template))
            {
                templates[name] = template = ChatTemplate.Parse(File.ReadAllText(Path.Combine(folder, "templates", name + ".jinja")));
            }

            var variables = Rendering.Variables(row.GetProperty("input"));
            variables["bos_token"] = TemplateValue.Of(row.GetProperty("bos_token").GetString()!, fromUser: false);
            variables["eos_token"] = TemplateValue.Of(row.GetProperty("eos_token").GetString()!, fromUser: false);
            var now = DateTimeOffset.Parse(row.GetProperty("now").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

            var (expected, isRefusal) = row.TryGetProperty("raises", out var raises) ? (raises.GetString()!, true) : (row.GetProperty("expected").GetString()!, false);
            var (actual, wasRefused) = Outcome(template, variables, now);
            rows++;
            raised += wasRefused ? 1 : 0;
            var sought = isRefusal ? expected[(expected.IndexOf(": ", StringComparison.Ordinal) + 2)..] : expected;
            if (isRefusal != wasRefused || sought != actual)
            {
                faults.Add($"{row.GetProperty("id")}\n  expected {expected}\n  actual   {actual}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {rows} rows differ:\n{string.Join('\n', faults.Take(10))}");
        Assert.Equal((Rows, MustRaise), (rows, raised));
    }

    private static (string Text, bool Refused) Outcome(ChatTemplate template, Dictionary<string, TemplateValue> variables, DateTimeOffset now)
    {
        try
        {
            return (template.Render(variables, TemplateLimits.Default, now, TimeProvider.System, CancellationToken.None).Text, false);
        }
        catch (TemplateException fault)
        {
            return (fault.Message, true);
        }
    }
}
