using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Prompts;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Loading;

/// <summary>Reads the small files of a version: configurations and chat template.</summary>
internal sealed class ModelTexts(ArtifactStore store)
{
    private const string TemplateFile = "chat_template.jinja";
    private const string MoreTemplates = "additional_chat_templates/";
    private const string TemplateEnd = ".jinja";

    /// <summary>Files that hold special words or templates, the one that wins first.</summary>
    private static readonly string[] ChatConfigs = ["chat_template.json", "tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>The configuration, and the architecture that it names.</summary>
    public async Task<(Architecture Architecture, ModelConfig Config)> ReadConfigAsync(ServableModel model, CancellationToken cancel)
    {
        var json = ConfigJson.Parse(await File.ReadAllBytesAsync(Path(model, "config.json")!, cancel), "config.json");
        var architecture = ModelFolder.ArchitectureOf(json, [.. model.Files.Select(f => new LayoutFile(f.Path, store.PathOf(f.Sha256)))]);
        return (architecture, architecture.ReadConfig(json));
    }

    /// <summary>The ids that end a reply, and the id that begins a text.</summary>
    public async Task<(IReadOnlyList<int> EndTokens, int? BeginToken)> ReadIdsAsync(ServableModel model, CancellationToken cancel)
    {
        var (_, config) = await ReadConfigAsync(model, cancel);
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

    /// <summary>What a model's files say of generation: forced and forbidden ids, and for an encoder-decoder its defaults.</summary>
    public async Task<(TokenRules Rules, Seq2SeqSetup? Seq2Seq)> ReadGenerationAsync(ServableModel model, CancellationToken cancel)
    {
        var json = ConfigJson.Parse(await File.ReadAllBytesAsync(Path(model, "config.json")!, cancel), "config.json");
        var config = Architectures.Of(json).ReadConfig(json);
        var settings = Path(model, "generation_config.json") is { } path
            ? GenerateArguments.Read(ConfigJson.Parse(await File.ReadAllBytesAsync(path, cancel), "generation_config.json"))
            : new GenerateArguments();
        // Rules beyond ids (repeated groups, lengths) are the request's own on /v1, and defaults of pipelines.
        var rules = settings.Rules() with { NoRepeatNgram = 0, SourceNoRepeatNgram = 0, SequenceBias = [] };
        if (config.Seq2Seq is not { } seq2Seq)
        {
            return (rules, null);
        }

        // Old files have the forced ids in config.json.
        rules = rules with
        {
            ForcedBegin = rules.ForcedBegin ?? json.Whole("forced_bos_token_id", 0, int.MaxValue),
            ForcedEnd = rules.ForcedEnd ?? (json.Ids("forced_eos_token_id") is [var end, ..] ? end : null),
        };
        settings = settings with { ForcedBosTokenId = rules.ForcedBegin, ForcedEosTokenId = rules.ForcedEnd };
        var tasks = json.Section("task_specific_params")?.Sections().ToDictionary(
            pair => pair.Key, pair => new TaskDefaults(GenerateArguments.Read(pair.Value), pair.Value.Text("prefix") ?? ""), StringComparer.Ordinal) ?? [];
        return (rules, new Seq2SeqSetup(settings.DecoderStartTokenId ?? seq2Seq.StartToken, settings, tasks));
    }

    /// <summary>What a classifier's scores stand for.</summary>
    public async Task<EncoderLabels> ReadLabelsAsync(ServableModel model, CancellationToken cancel)
    {
        var (_, config) = await ReadConfigAsync(model, cancel);
        return new EncoderLabels(config.Labels, config.MultiLabel);
    }

    /// <summary>The chat templates with the words they may use.</summary>
    public async Task<ChatSources> ReadChatAsync(ServableModel model, CancellationToken cancel)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in model.Files.Select(f => f.Path))
        {
            if (TemplateName(path) is { } name)
            {
                files[name] = await File.ReadAllTextAsync(Path(model, path)!, cancel);
            }
        }

        var configs = new List<JsonElement>();
        foreach (var path in ChatConfigs.Select(file => Path(model, file)).OfType<string>())
        {
            using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(path, cancel));
            configs.Add(document.RootElement.Clone());
        }

        return ChatSources.Of(files, configs);
    }

    /// <summary>What can be asked of a model, as <c>/v1/models</c> shows it.</summary>
    public async Task<IReadOnlyList<string>> ReadCapabilitiesAsync(ServableModel model, CancellationToken cancel)
    {
        var chat = await ReadChatAsync(model, cancel);
        return ["completion", .. chat.Templates.Count == 0 ? Array.Empty<string>() : chat.KnowsTools ? ["chat", "tools"] : ["chat"]];
    }

    private string? Path(ServableModel model, string file) =>
        model.Files.FirstOrDefault(f => f.Path == file) is { } view ? store.PathOf(view.Sha256) : null;

    /// <summary>The name of the template that a file is; null for other files.</summary>
    private static string? TemplateName(string path) =>
        path == TemplateFile ? "default"
        : path.StartsWith(MoreTemplates, StringComparison.Ordinal) && path.EndsWith(TemplateEnd, StringComparison.Ordinal) ? path[MoreTemplates.Length..^TemplateEnd.Length]
        : null;
}
