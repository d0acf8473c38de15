using System.Text.Json;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Models.Prompts;

/// <summary>A model's chat templates, and the special words that they may write, as its files say.</summary>
/// <param name="Templates">Jinja by name; one alone is <c>default</c>; empty when the model has none.</param>
/// <param name="Words"><c>bos_token</c>, <c>eos_token</c> and so on, under the names that templates know.</param>
internal sealed record ChatSources(IReadOnlyDictionary<string, string> Templates, IReadOnlyDictionary<string, TemplateValue> Words)
{
    private const string Default = "default";
    private const string MoreTokens = "additional_special_tokens";

    public static ChatSources None { get; } = new(new Dictionary<string, string>(), new Dictionary<string, TemplateValue>());

    /// <summary>Whether a template shows tools to the model.</summary>
    public bool KnowsTools => Templates.Values.Any(t => t.Contains("tools", StringComparison.Ordinal));

    /// <summary>Puts the files together; what a file of its own says goes before the configuration.</summary>
    /// <param name="files">Contents of <c>.jinja</c> files by template name.</param>
    /// <param name="configs">Objects that hold special words and templates, the one that wins first.</param>
    public static ChatSources Of(IReadOnlyDictionary<string, string> files, IEnumerable<JsonElement> configs)
    {
        var templates = new Dictionary<string, string>(files, StringComparer.Ordinal);
        var words = new Dictionary<string, TemplateValue>(StringComparer.Ordinal);
        foreach (var config in configs.Where(c => c.ValueKind == JsonValueKind.Object))
        {
            AddTemplates(config, templates);
            foreach (var property in config.EnumerateObject())
            {
                if (property.Name.EndsWith("_token", StringComparison.Ordinal) && WordOf(property.Value) is { } word)
                {
                    words.TryAdd(property.Name, TemplateValue.Of(word, fromUser: false));
                }
                else if (property is { Name: MoreTokens, Value.ValueKind: JsonValueKind.Array })
                {
                    words.TryAdd(property.Name, TemplateValue.ListOf(property.Value.EnumerateArray().Select(WordOf).OfType<string>().Select(w => TemplateValue.Of(w, fromUser: false))));
                }
            }
        }

        return new ChatSources(templates, words);
    }

    /// <summary>A text, or a list of named ones.</summary>
    private static void AddTemplates(JsonElement config, Dictionary<string, string> templates)
    {
        if (!config.TryGetProperty("chat_template", out var template))
        {
            return;
        }

        if (template.ValueKind == JsonValueKind.String)
        {
            templates.TryAdd(Default, template.GetString()!);
        }
        else if (template.ValueKind == JsonValueKind.Array)
        {
            foreach (var named in template.EnumerateArray())
            {
                if (TextOf(named, "name") is { } name && TextOf(named, "template") is { } text)
                {
                    templates.TryAdd(name, text);
                }
            }
        }
        else if (template.ValueKind == JsonValueKind.Object)
        {
            foreach (var named in template.EnumerateObject().Where(n => n.Value.ValueKind == JsonValueKind.String))
            {
                templates.TryAdd(named.Name, named.Value.GetString()!);
            }
        }
    }

    /// <summary>A text, or an object whose <c>content</c> is the text.</summary>
    private static string? WordOf(JsonElement word) => word.ValueKind == JsonValueKind.String ? word.GetString() : TextOf(word, "content");

    private static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
