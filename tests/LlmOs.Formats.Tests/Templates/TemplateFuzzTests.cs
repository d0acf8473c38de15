using System.Text;
using System.Text.Json;
using LlmOs.Formats.Templates;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Templates;

/// <summary>Real templates with pieces changed, dropped, doubled and swapped: always a text or a refusal, within the limits.</summary>
public class TemplateFuzzTests
{
    private const int Cases = 4_000;
    private static readonly TemplateLimits Small = new() { Steps = 20_000, TextLength = 1 << 16, TotalText = 1 << 18, Depth = 100, Time = TimeSpan.FromHours(1) };

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{% raw %}", "{% endraw %}", "'", "\"", "\\", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "~", "*", "**", "//", "%",
        " if ", " else ", " for ", " in ", " is ", " not ", " and ", " or ", "loop.last", "loop(", "caller()", "namespace()", "messages", "none", "1e999", "0x", "99999999999999999999",
        "|tojson", "|join(", "|map('", "|sort", "|list", "|length", "|items", "{% set x = x ~ x %}", "{% for a in messages recursive %}", "{% endfor %}", "{% endif %}", "{% break %}",
        "{% macro m(a, b=1) %}", "{% endmacro %}", "{{ m(m) }}", "[::-1]", "\ud83d", "\ude00", "\0", "\r", "\u2028", "é", "range(100000)", "'%s' % ", ".format(", ".split(",
    ];

    [Fact]
    public void A_changed_template_gives_a_text_or_a_refusal()
    {
        var folder = SharedFolder.Require("vectors", "chat-templates");
        string[] sources = [.. Directory.GetFiles(Path.Combine(folder, "templates")).Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        JsonElement[] inputs = [.. File.ReadLines(Path.Combine(folder, "render.jsonl")).Take(12).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("input"))];
        var random = new Random(20_26);
        var (rendered, refused) = (0, 0);
        for (var at = 0; at < Cases; at++)
        {
            var source = Change(sources[random.Next(sources.Length)], sources, random);
            try
            {
                var text = Rendering.Render(ChatTemplate.Parse(source), inputs[random.Next(inputs.Length)], Small);
                Assert.True(text.Text.Length <= Small.TextLength);
                rendered++;
            }
            catch (TemplateException fault)
            {
                Assert.NotEqual("", fault.Message);
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"case {at}: {fault}\n{source}");
            }
        }

        // Both outcomes are common, so neither half of the promise goes untested.
        Assert.InRange(rendered, Cases / 20, Cases);
        Assert.InRange(refused, Cases / 20, Cases);
    }

    private static string Change(string source, string[] sources, Random random)
    {
        var text = new StringBuilder(source);
        for (var turn = random.Next(1, 4); turn > 0; turn--)
        {
            var at = random.Next(text.Length + 1);
            var length = Math.Min(random.Next(1, 40), text.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 1:
                    text.Remove(at, length);
                    break;
                case 2:
                    text.Insert(random.Next(text.Length + 1), text.ToString(at, length));
                    break;
                case 3 when length > 0:
                    text[at] = (char)random.Next(0x20, 0x7f);
                    break;
                case 4:
                    var other = sources[random.Next(sources.Length)];
                    var from = random.Next(other.Length);
                    text.Insert(at, other.AsSpan(from, Math.Min(random.Next(1, 200), other.Length - from)));
                    break;
                default:
                    text.Remove(at, length);
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }

        return text.ToString();
    }
}
