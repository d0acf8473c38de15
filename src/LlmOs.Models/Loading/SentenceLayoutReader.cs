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

    /// <param name="read">The content of a file by its path; null when it is not there.</param>
    /// <exception cref="ModelFormatException">The files contradict themselves, or name a module that is not implemented.</exception>
    public static SentenceLayout Read(Func<string, byte[]?> read)
    {
        if (read(ModulesFile) is not { } modules)
        {
            return SentenceLayout.Plain;
        }

        var (poolings, normalise) = (new List<Pooling>(), false);
        foreach (var (kind, path) in Modules(modules))
        {
            switch (kind)
            {
                case "Transformer":
                    break;
                case "Pooling":
                    poolings.AddRange(ReadPooling(path, read));
                    break;
                case "Normalize":
                    normalise = true;
                    break;
                default:
                    throw new ModelFormatException(
                        ModelFormatProblem.UnsupportedArchitecture,
                        $"{ModulesFile} names a module '{kind}', which is not supported; supported: Transformer, Pooling, Normalize.");
            }
        }

        var limit = read(LimitFile) is { } file ? ConfigJson.Parse(file, LimitFile) : null;
        var prompts = read(PromptFile) is { } named ? ConfigJson.Parse(named, PromptFile) : null;
        return new SentenceLayout(
            poolings.Count > 0 ? poolings : [Pooling.Mean],
            normalise,
            limit?.Whole("max_seq_length", 1, ModelConfig.MaxContextLength),
            prompts?.Section("prompts")?.Words() ?? new Dictionary<string, string>(),
            prompts?.Text("default_prompt_name"));
    }

    /// <summary>The files that modules have of their own, as far as they are read.</summary>
    public static IEnumerable<string> OwnFiles(byte[] modules) =>
        Modules(modules).Where(m => m.Kind == "Pooling").Select(m => $"{m.Path}/config.json");

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

    private static List<Pooling> ReadPooling(string path, Func<string, byte[]?> read)
    {
        var name = $"{path}/config.json";
        var json = ConfigJson.Parse(read(name) ?? throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{ModulesFile} names the pooling '{name}', which is not there."), name);
        if (json.Text("pooling_mode") is { } word)
        {
            return [word switch
            {
                "cls" => Pooling.First,
                "max" => Pooling.Max,
                "mean" => Pooling.Mean,
                "mean_sqrt_len_tokens" => Pooling.MeanRoot,
                "weightedmean" => Pooling.Weighted,
                "lasttoken" => Pooling.Last,
                _ => throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{name}: pooling_mode = \"{word}\" is not supported."),
            }];
        }

        var chosen = Modes.Where(mode => json.Flag(mode.Key) == true).Select(mode => mode.Pooling).ToList();
        return chosen.Count > 0 ? chosen : throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{name} switches on none of {string.Join(", ", Modes.Select(m => m.Key))}.");
    }
}
