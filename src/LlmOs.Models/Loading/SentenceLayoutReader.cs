using System.Text.Json;
using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>Reads a sentence-transformers layout. A module that is not implemented is refused by name.</summary>
internal static class SentenceLayoutReader
{
    public const string ModulesFile = "modules.json";
    public const string LimitFile = "sentence_bert_config.json";
    public const string PromptFile = "config_sentence_transformers.json";

    private static readonly (string Key, Pooling Pooling)[] Modes =
    [
        ("pooling_mode_cls_token", Pooling.First),
        ("pooling_mode_max_tokens", Pooling.Max),
        ("pooling_mode_mean_tokens", Pooling.Mean),
        ("pooling_mode_mean_sqrt_len_tokens", Pooling.MeanRoot),
        ("pooling_mode_weightedmean_tokens", Pooling.Weighted),
        ("pooling_mode_lasttoken", Pooling.Last),
    ];

    /// <summary>The newer spelling: a word, or a list of them.</summary>
    private static readonly Dictionary<string, Pooling> Words = new(StringComparer.Ordinal)
    {
        ["cls"] = Pooling.First,
        ["max"] = Pooling.Max,
        ["mean"] = Pooling.Mean,
        ["mean_sqrt_len_tokens"] = Pooling.MeanRoot,
        ["weightedmean"] = Pooling.Weighted,
        ["lasttoken"] = Pooling.Last,
    };

    /// <param name="read">The content of a small file by its path; null when it is not there.</param>
    /// <param name="locate">The place of a file by its path; null when it is not there.</param>
    /// <exception cref="ModelFormatException">The files contradict themselves, or name a module that is not implemented.</exception>
    public static SentenceLayout Read(Func<string, byte[]?> read, Func<string, string?> locate)
    {
        if (read(ModulesFile) is not { } modules)
        {
            return SentenceLayout.Plain;
        }

        var (poolings, steps, poolsPrompt, weights) = (new List<Pooling>(), new List<SentenceStep>(), true, (LayerWeights?)null);
        foreach (var (kind, path) in Modules(modules))
        {
            switch (kind)
            {
                case "Transformer":
                    break;
                case "Pooling":
                    var pooling = PoolingConfig(path, read);
                    poolings.AddRange(ReadPooling(pooling));
                    poolsPrompt = pooling.Flag("include_prompt") ?? true;
                    break;
                case LayerWeightsReader.Kind when poolings.Count == 0:
                    weights = LayerWeightsReader.Read(path, read, locate);
                    break;
                default:
                    if (SentenceStepReader.Read(kind, path, read, locate) is { } step)
                    {
                        steps.Add(step);
                    }

                    break;
            }
        }

        var limit = read(LimitFile) is { } file ? ConfigJson.Parse(file, LimitFile) : null;
        return new SentenceLayout(
            poolings.Count > 0 ? poolings : [Pooling.Mean],
            steps,
            limit?.Whole("max_seq_length", 1, ModelConfig.MaxContextLength),
            read(PromptFile) is { } named ? ReadPrompts(ConfigJson.Parse(named, PromptFile)) : SentencePrompts.None)
        {
            PoolsPrompt = poolsPrompt,
            LayerWeights = weights,
            LowersCase = limit?.Flag("do_lower_case") ?? false,
        };
    }

    private static SentencePrompts ReadPrompts(ConfigJson json)
    {
        var byName = json.Section("prompts")?.Words() ?? new Dictionary<string, string>();
        var usual = json.Text("default_prompt_name");
        return usual is null || byName.ContainsKey(usual)
            ? new SentencePrompts(byName, usual)
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{PromptFile}: default_prompt_name is \"{usual}\", which is none of the prompts.");
    }

    /// <summary>The files that modules have of their own, as far as they are read.</summary>
    public static IEnumerable<string> OwnFiles(byte[] modules) =>
        Modules(modules).SelectMany(m => m.Kind is "Pooling" or "Normalize" ? [$"{m.Path}/config.json"] : SentenceStepReader.FilesOf(m.Kind, m.Path));

    private static List<(string Kind, string Path)> Modules(byte[] json)
    {
        try
        {
            var modules = PublishedJson.Parse(json, ModulesFile).EnumerateArray()
                .Select(m => (m.GetProperty("type").GetString()!.Split('.')[^1], m.GetProperty("path").GetString()!)).ToList();
            // A path here names a file of the model, so it must be a plain folder's name.
            return modules.Find(m => m.Item2.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))) is { Item2: not null } wrong
                ? throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{ModulesFile}: '{wrong.Item2}' is not the name of a module's folder.")
                : modules;
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException or NullReferenceException)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{ModulesFile} is not a list of modules with a type and a path.", fault);
        }
    }

    private static ConfigJson PoolingConfig(string path, Func<string, byte[]?> read)
    {
        var name = $"{path}/config.json";
        return ConfigJson.Parse(read(name) ?? throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{ModulesFile} names the pooling '{name}', which is not there."), name);
    }

    private static List<Pooling> ReadPooling(ConfigJson json)
    {
        var words = json.KindOf("pooling_mode") == JsonValueKind.String ? [json.Text("pooling_mode")!] : json.Texts("pooling_mode");
        if (words.Count > 0)
        {
            return [.. words.Select(word => Words.TryGetValue(word, out var pooling) ? pooling : throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: pooling_mode = \"{word}\" is not supported; supported: {string.Join(", ", Words.Keys)}."))];
        }

        var chosen = Modes.Where(mode => json.Flag(mode.Key) == true).Select(mode => mode.Pooling).ToList();
        return chosen.Count > 0 ? chosen : [Pooling.Mean]; // as sentence-transformers does where none is switched on
    }
}
