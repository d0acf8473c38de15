using System.Text;
using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Formats.Tokenizers;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Prompts;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Loading;

/// <summary>
/// What the small files of a model say, each read when it is asked for. Nothing else reads them, and an import asks for all of it once
/// (<see cref="Check"/>): a file that cannot be read is refused there by its name, and no request or list is the first to meet it.
/// </summary>
/// <exception cref="ModelFormatException">Of every method: a file cannot be read; the message names it.</exception>
internal sealed class SideFiles(IReadOnlyList<LayoutFile> files)
{
    private const string GenerationFile = "generation_config.json";
    private const string TokenizerConfigFile = "tokenizer_config.json";
    private const string TemplateFile = "chat_template.jinja";
    private const string MoreTemplates = "additional_chat_templates/";
    private const string TemplateEnd = ".jinja";

    /// <summary>Bytes; the largest published ones, with an entry for each of some ten thousand added tokens, have a few millions.</summary>
    private const int MaxWordsBytes = 64 << 20;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Files that hold special words or templates, the one that wins first.</summary>
    private static readonly string[] ChatConfigs = ["chat_template.json", TokenizerConfigFile, "special_tokens_map.json"];

    /// <summary>Reads everything once, what nobody uses too.</summary>
    public void Check()
    {
        var (architecture, config) = ReadConfig();
        CheckTokenIds(config);
        ReadSentences();
        ReadChat();
        if (architecture is DecoderArchitecture or Seq2SeqArchitecture)
        {
            ReadGeneration();
        }

        var used = TokenizerFolder.FilesOf(files.Select(f => f.Path));
        foreach (var file in files.Where(f => f.Path.EndsWith(".json", StringComparison.Ordinal) && !used.Contains(f.Path)))
        {
            PublishedJson.Parse(Read(file.Path, MaxWordsBytes)!, file.Path);
        }
    }

    /// <summary>The configuration, and the architecture that it names.</summary>
    public (Architecture Architecture, ModelConfig Config) ReadConfig()
    {
        var json = ConfigOf(ModelFolder.ConfigFile)!;
        var architecture = ModelFolder.ArchitectureOf(json, files);
        return (architecture, architecture.ReadConfig(json));
    }

    /// <summary>The ids that end a reply, and the id that begins a text.</summary>
    public (IReadOnlyList<int> EndTokens, int? BeginToken) ReadIds()
    {
        var (_, config) = ReadConfig();
        var generation = ConfigOf(GenerationFile) is { } json ? GenerationConfig.Read(json) : null;
        var begin = generation?.BeginToken ?? config.BeginToken;
        return (GenerationConfig.EndTokensOf(config, generation), begin < config.Vocabulary ? begin : null);
    }

    /// <summary>How sentences become vectors.</summary>
    public SentenceLayout ReadSentences()
    {
        var layout = SentenceLayoutReader.Read(name => Read(name, ConfigJson.MaxBytes), name => files.FirstOrDefault(f => f.Path == name)?.Location);
        var (architecture, config) = ReadConfig();
        layout.WidthOf(config.Hidden); // modules that do not fit are refused here
        layout.LayerWeights?.Of(config.Layers);
        if (layout.LayerWeights is not null && architecture is not EncoderArchitecture)
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{SentenceLayoutReader.ModulesFile} weighs the states of all layers, and this model's graph gives out the last ones alone.");
        }

        return layout;
    }

    /// <summary>What holds where a request does not say.</summary>
    public GenerationSetup ReadGeneration()
    {
        var (_, config) = ReadConfig();
        var settings = ConfigOf(GenerationFile) is { } stated ? GenerateArguments.Read(stated) : new GenerateArguments();
        // Rules beyond ids (repeated groups, lengths) are the request's own on /v1, and defaults of pipelines.
        var rules = settings.Rules() with { NoRepeatNgram = 0, SourceNoRepeatNgram = 0, SequenceBias = [] };
        if (config.Seq2Seq is not { } seq2Seq)
        {
            return new GenerationSetup(rules, settings, null);
        }

        // Old files have the forced ids in config.json.
        var json = ConfigOf(ModelFolder.ConfigFile)!;
        rules = rules with
        {
            ForcedBegin = rules.ForcedBegin ?? json.Whole("forced_bos_token_id", 0, int.MaxValue),
            ForcedEnd = rules.ForcedEnd ?? (json.Ids("forced_eos_token_id") is [var end, ..] ? end : null),
        };
        settings = settings with { ForcedBosTokenId = rules.ForcedBegin, ForcedEosTokenId = rules.ForcedEnd };
        var tasks = json.Section("task_specific_params")?.Sections().ToDictionary(
            pair => pair.Key, pair => new TaskDefaults(GenerateArguments.Read(pair.Value), pair.Value.Text("prefix") ?? ""), StringComparer.Ordinal) ?? [];
        return new GenerationSetup(rules, settings, new Seq2SeqSetup(settings.DecoderStartTokenId ?? seq2Seq.StartToken, settings, tasks));
    }

    /// <summary>
    /// Tokens to which the tokenizer cuts a text that may be cut; null where no file says it. Tokenizers without a limit write a number
    /// beyond every text.
    /// </summary>
    public int? ReadTokenizerLimit()
    {
        const string Key = "model_max_length";
        var config = Read(TokenizerConfigFile, MaxWordsBytes) is { } json ? PublishedJson.Parse(json, TokenizerConfigFile) : default;
        return config.ValueKind == JsonValueKind.Object && config.TryGetProperty(Key, out var limit) && limit.ValueKind == JsonValueKind.Number
            && limit.GetDouble() is >= 1 and <= ModelConfig.MaxContextLength and var tokens
            ? (int)tokens
            : null;
    }

    /// <summary>What a classifier's scores stand for, by transformers' rules.</summary>
    public EncoderLabels ReadLabels()
    {
        var names = ReadConfig().Config.Labels;
        return new EncoderLabels(names, ConfigOf(ModelFolder.ConfigFile)!.Text("problem_type") switch
        {
            "regression" => ScoreFunction.None,
            "multi_label_classification" => ScoreFunction.Sigmoid,
            _ => names.Count == 1 ? ScoreFunction.Sigmoid : ScoreFunction.Softmax,
        });
    }

    /// <summary>The chat templates with the words they may use.</summary>
    public ChatSources ReadChat()
    {
        var templates = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in files.Select(f => f.Path))
        {
            if (TemplateName(path) is { } name)
            {
                templates[name] = ReadText(path);
            }
        }

        List<JsonElement> configs = [];
        foreach (var name in ChatConfigs)
        {
            if (Read(name, MaxWordsBytes) is { } json)
            {
                var root = PublishedJson.Parse(json, name);
                configs.Add(root.ValueKind == JsonValueKind.Object ? root : throw Corrupt($"{name} is not a JSON object."));
            }
        }

        return ChatSources.Of(templates, configs);
    }

    /// <summary>Ids that a rule forces, or that begin a text, must be ids of the model.</summary>
    private void CheckTokenIds(ModelConfig config)
    {
        foreach (var file in new[] { ModelFolder.ConfigFile, GenerationFile })
        {
            foreach (var key in new[] { "forced_bos_token_id", "forced_eos_token_id", "decoder_start_token_id" })
            {
                if (ConfigOf(file)?.Ids(key).FirstOrDefault(id => id >= config.Vocabulary) is { } beyond and > 0)
                {
                    throw Corrupt($"{file}: '{key}' is {beyond}; the model's ids go from 0 to {config.Vocabulary - 1}.");
                }
            }
        }
    }

    private ConfigJson? ConfigOf(string name) => Read(name, ConfigJson.MaxBytes) is { } json ? ConfigJson.Parse(json, name) : null;

    private string ReadText(string path)
    {
        ReadOnlySpan<byte> text = Read(path, ConfigJson.MaxBytes);
        LfsPointer.Refuse(text, path);
        try
        {
            return Strict.GetString(text.StartsWith("\uFEFF"u8) ? text[3..] : text);
        }
        catch (DecoderFallbackException)
        {
            throw Corrupt($"{path} is not UTF-8.");
        }
    }

    /// <summary>The content of a file; null where the model has none of that name.</summary>
    private byte[]? Read(string name, int maxBytes)
    {
        if (files.FirstOrDefault(f => f.Path == name) is not { } file)
        {
            return null;
        }

        var bytes = new FileInfo(file.Location).Length;
        return bytes <= maxBytes
            ? File.ReadAllBytes(file.Location)
            : throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{name} has {bytes} bytes; at most {maxBytes} are read.");
    }

    private static ModelFormatException Corrupt(string what) => new(ModelFormatProblem.CorruptFile, what);

    /// <summary>The name of the template that a file is; null for other files.</summary>
    private static string? TemplateName(string path) =>
        path == TemplateFile ? "default"
        : path.StartsWith(MoreTemplates, StringComparison.Ordinal) && path.EndsWith(TemplateEnd, StringComparison.Ordinal) ? path[MoreTemplates.Length..^TemplateEnd.Length]
        : null;
}
