using System.Text.Json;
using LlmOs.Engine.Formats;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Serving;

/// <summary>What a chat template and its model's files say about special words.</summary>
/// <param name="Template">Jinja; null when the model has none.</param>
internal sealed record ChatWords(string? Template, string BeginWord, string EndWord)
{
    /// <summary>Whether the template shows tools to the model.</summary>
    public bool KnowsTools => Template?.Contains("tools", StringComparison.Ordinal) == true;
}

/// <summary>Reads the small files of a version: configurations and chat template.</summary>
internal sealed class ModelTexts(ArtifactStore store)
{
    private const string TokenizerConfigFile = "tokenizer_config.json";
    private const string TemplateFile = "chat_template.jinja";

    /// <summary>The ids that end a reply, and the id that begins a text.</summary>
    public async Task<(IReadOnlyList<int> EndTokens, int? BeginToken)> ReadIdsAsync(ServableModel model, CancellationToken cancel)
    {
        var json = ConfigJson.Parse(await File.ReadAllBytesAsync(Path(model, "config.json")!, cancel), "config.json");
        var config = Architectures.Of(json).ReadConfig(json);
        var generation = Path(model, "generation_config.json") is { } path
            ? GenerationConfig.Read(ConfigJson.Parse(await File.ReadAllBytesAsync(path, cancel), "generation_config.json"))
            : null;
        return (GenerationConfig.EndTokensOf(config, generation), generation?.BeginToken ?? config.BeginToken);
    }

    /// <summary>How sentences become vectors.</summary>
    public async Task<SentenceLayout> ReadSentenceLayoutAsync(ServableModel model, CancellationToken cancel)
    {
        Dictionary<string, byte[]> files = [];
        foreach (var file in model.Files.Where(f => f.Path.EndsWith(".json", StringComparison.Ordinal) && f.Bytes <= ConfigJson.MaxBytes))
        {
            files[file.Path] = await File.ReadAllBytesAsync(store.PathOf(file.Sha256), cancel);
        }

        return SentenceLayoutReader.Read(files.GetValueOrDefault);
    }

    /// <summary>What a classifier's scores stand for.</summary>
    public async Task<EncoderLabels> ReadLabelsAsync(ServableModel model, CancellationToken cancel)
    {
        var json = ConfigJson.Parse(await File.ReadAllBytesAsync(Path(model, "config.json")!, cancel), "config.json");
        var config = Architectures.Of(json).ReadConfig(json);
        return new EncoderLabels(config.Labels, config.MultiLabel);
    }

    /// <summary>The chat template with the words it may use.</summary>
    public async Task<ChatWords> ReadChatAsync(ServableModel model, CancellationToken cancel)
    {
        var template = Path(model, TemplateFile) is { } file ? await File.ReadAllTextAsync(file, cancel) : null;
        if (Path(model, TokenizerConfigFile) is not { } path)
        {
            return new ChatWords(template, "", "");
        }

        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancel));
        var root = document.RootElement;
        return new ChatWords(template ?? TemplateOf(root), WordOf(root, "bos_token"), WordOf(root, "eos_token"));
    }

    /// <summary>What can be asked of a model, as <c>/v1/models</c> shows it.</summary>
    public async Task<IReadOnlyList<string>> ReadCapabilitiesAsync(ServableModel model, CancellationToken cancel)
    {
        var chat = await ReadChatAsync(model, cancel);
        return ["completion", .. chat.Template is null ? Array.Empty<string>() : chat.KnowsTools ? ["chat", "tools"] : ["chat"]];
    }

    private string? Path(ServableModel model, string file) =>
        model.Files.FirstOrDefault(f => f.Path == file) is { } view ? store.PathOf(view.Sha256) : null;

    /// <summary>A text, or a list of named ones of which <c>default</c> is taken.</summary>
    private static string? TemplateOf(JsonElement config)
    {
        if (!config.TryGetProperty("chat_template", out var template))
        {
            return null;
        }

        return template.ValueKind switch
        {
            JsonValueKind.String => template.GetString(),
            JsonValueKind.Array => template.EnumerateArray()
                .FirstOrDefault(t => t.TryGetProperty("name", out var name) && name.GetString() == "default") is { ValueKind: JsonValueKind.Object } chosen
                ? chosen.GetProperty("template").GetString()
                : null,
            _ => null,
        };
    }

    /// <summary>A text, or an object whose <c>content</c> is the text.</summary>
    private static string WordOf(JsonElement config, string name) =>
        !config.TryGetProperty(name, out var word) ? ""
        : word.ValueKind == JsonValueKind.Object && word.TryGetProperty("content", out var content) ? content.GetString() ?? ""
        : word.ValueKind == JsonValueKind.String ? word.GetString()!
        : "";
}
