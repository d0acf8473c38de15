using System.Text;

namespace LlmOs.Cli;

/// <summary>
/// A recipe for a model in Ollama's form: FROM, and what stands beside the weights. Each instruction is honoured or
/// refused by its name; none is passed over.
/// </summary>
internal sealed record Modelfile
{
    private const string Fence = "\"\"\"";

    /// <summary>What it is made from: a model, a path, or a source.</summary>
    public required string From { get; init; }

    /// <summary>A chat template in Jinja.</summary>
    public string? Template { get; init; }

    /// <summary>What a conversation begins with unless the caller says otherwise.</summary>
    public string? System { get; init; }

    public string? License { get; init; }

    /// <exception cref="UsageException">An instruction is unknown or cannot be honoured; the message names it and its line.</exception>
    public static Modelfile Parse(string text)
    {
        string? from = null, template = null, system = null;
        List<string> licenses = [];
        foreach (var (line, word, value) in Instructions(text))
        {
            switch (word.ToUpperInvariant())
            {
                case "FROM":
                    from = Once(from, value, word, line);
                    break;
                case "TEMPLATE":
                    template = Once(template, Jinja(value, line), word, line);
                    break;
                case "SYSTEM":
                    system = Once(system, value, word, line);
                    break;
                case "LICENSE":
                    licenses.Add(value);
                    break;
                case "PARAMETER":
                    throw Refuse(line, $"PARAMETER {value.Split(' ')[0]} cannot be stored with a model here: sampling, lengths and stop texts come with each request, so that the same request gives the same reply.");
                case "ADAPTER":
                    throw Refuse(line, "ADAPTER is not read here: import the adapter with 'llmos import ADAPTER --name NAME --base MODEL' and begin FROM that.");
                case "MESSAGE":
                    throw Refuse(line, "MESSAGE is not stored with a model: send the turns with the request, or put them into an app.");
                case "REQUIRES":
                    throw Refuse(line, "REQUIRES names a version of another server; take the line out.");
                default:
                    throw Refuse(line, $"'{word}' is no instruction; expected FROM, TEMPLATE, SYSTEM or LICENSE.");
            }
        }

        return new Modelfile
        {
            From = from ?? throw new UsageException("The Modelfile has no FROM line, which names what the model is made from."),
            Template = template,
            System = system,
            License = licenses.Count == 0 ? null : string.Join("\n\n", licenses),
        };
    }

    private static string Once(string? before, string value, string word, int line) =>
        before is null ? value : throw Refuse(line, $"{word.ToUpperInvariant()} stands there twice.");

    /// <summary>Templates of Go look alike and mean something else; they are told apart by their dots.</summary>
    private static string Jinja(string template, int line) =>
        template.Contains("{{ .", StringComparison.Ordinal) || template.Contains("{{.", StringComparison.Ordinal) || template.Contains("{{- .", StringComparison.Ordinal) || template.Contains("{{- if .", StringComparison.Ordinal) || template.Contains("{{ if .", StringComparison.Ordinal)
            ? throw Refuse(line, "TEMPLATE is in Go's template language; expected a chat template in Jinja, as Hugging Face models have it, or no TEMPLATE to keep the model's own.")
            : template;

    /// <summary>Each instruction with the number of its line; a value in three quotes may have many lines.</summary>
    private static IEnumerable<(int Line, string Word, string Value)> Instructions(string text)
    {
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var space = line.IndexOfAny([' ', '\t']);
            if (space < 0)
            {
                throw Refuse(i + 1, $"'{line}' has no value.");
            }

            var (start, word, value) = (i, line[..space], line[space..].Trim());
            if (value.StartsWith(Fence, StringComparison.Ordinal))
            {
                value = Fenced(lines, ref i, value[Fence.Length..]);
            }
            else if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
            {
                value = value[1..^1];
            }

            yield return (start + 1, word, value);
        }
    }

    private static string Fenced(string[] lines, ref int i, string first)
    {
        var start = i;
        var value = new StringBuilder();
        for (var line = first; ; line = lines[i])
        {
            if (line.IndexOf(Fence, StringComparison.Ordinal) is >= 0 and var end)
            {
                return value.Append(line[..end]).ToString();
            }

            value.Append(line).Append('\n');
            if (++i == lines.Length)
            {
                throw Refuse(start + 1, $"the text in {Fence} is not closed.");
            }
        }
    }

    private static UsageException Refuse(int line, string message) => new($"Modelfile, line {line}: {message}");
}
