using System.Text.RegularExpressions;
using LlmOs.Formats;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Adapters;

/// <summary>
/// PEFT's <c>adapter_config.json</c> of a LoRA (arXiv 2106.09685), as far as it decides the numbers of the merged weights. An
/// option that would change them and is not implemented is refused by its name; so is one that nobody here knows.
/// </summary>
internal sealed class LoraConfig
{
    public const string FileName = "adapter_config.json";

    private const int MaxRank = 65_536, MaxPatterns = 4096, LongestPattern = 512;

    /// <summary>Options that change numbers, and the values (as JSON) with which they do not.</summary>
    private static readonly Dictionary<string, string[]> Neutral = new(StringComparer.Ordinal)
    {
        ["use_dora"] = ["false"],
        ["lora_bias"] = ["false"],
        ["use_qalora"] = ["false"],
        ["use_bdlora"] = ["false"],
        ["ensure_weight_tying"] = ["false"],
        ["layer_replication"] = ["[]"],
        ["alora_invocation_tokens"] = ["[]"],
        ["trainable_token_indices"] = ["[]", "{}"],
        ["target_parameters"] = ["[]"],
        ["arrow_config"] = ["{}"],
        ["megatron_config"] = ["{}"],
        // Other initialisations (pissa, olora, loftq, ...) change the base's weights before training, so merging into the published base would be wrong.
        ["init_lora_weights"] = ["true", "false", "\"gaussian\"", "\"orthogonal\"", "\"eva\""],
    };

    /// <summary>Options that decide how it was trained, or which weights it has, which the weights themselves show.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "peft_type", "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "fan_in_fan_out",
        "auto_mapping", "base_model_name_or_path", "bias", "corda_config", "eva_config", "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform",
        "loftq_config", "lora_dropout", "lora_ga_config", "megatron_core", "modules_to_save", "peft_version", "qalora_group_size", "revision", "runtime_config",
        "target_modules", "task_type",
    };

    private readonly int _rank;
    private readonly double _alpha;
    private readonly bool _byRoot;
    private readonly List<(Regex Matches, double Value)> _ranks, _alphas;

    private LoraConfig(ConfigJson json)
    {
        _rank = json.Whole("r", 1, MaxRank) ?? throw json.Missing("r");
        _alpha = json.Number("lora_alpha") ?? throw json.Missing("lora_alpha");
        _byRoot = json.Flag("use_rslora") ?? false;
        (_ranks, _alphas) = (Patterns(json, "rank_pattern"), Patterns(json, "alpha_pattern"));
        Base = json.Text("base_model_name_or_path");
    }

    /// <summary>What the adapter's author called the model that it was trained beside; for messages.</summary>
    public string? Base { get; }

    /// <exception cref="ModelFormatException">It is of another kind than LoRA, or has an option that is not implemented.</exception>
    public static LoraConfig Read(ConfigJson json)
    {
        if (json.Text("peft_type") is var type && type != "LORA")
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{FileName}: adapters of the kind '{ModelName.Shorten(type ?? "")}' (peft_type) are not read; read is LORA.");
        }

        foreach (var key in json.Keys.Where(json.Has))
        {
            var value = json.RawText(key)!;
            var changesNothing = Known.Contains(key) || (Neutral.TryGetValue(key, out var neutral) ? neutral : ["false", "[]", "{}", "\"\""]).Contains(value, StringComparer.Ordinal);
            if (!changesNothing)
            {
                throw new ModelFormatException(
                    ModelFormatProblem.UnsupportedFormat,
                    $"{FileName}: the option {ModelName.Shorten(key)} = {ModelName.Shorten(value)} is not supported. Merge the adapter into its base with the library that made it (peft: merge_and_unload) and import the result.");
            }
        }

        return new LoraConfig(json);
    }

    /// <summary>The rank that the update of a module has.</summary>
    /// <param name="module">Its path in the model: <c>model.layers.0.self_attn.q_proj</c>.</param>
    public int RankOf(string module) => (int)(Of(_ranks, module) ?? _rank);

    /// <summary>What the product of the two matrices is multiplied by: alpha / rank, or alpha / sqrt(rank) (rslora, arXiv 2312.03732).</summary>
    public double ScaleOf(string module)
    {
        var rank = RankOf(module);
        return (Of(_alphas, module) ?? _alpha) / (_byRoot ? Math.Sqrt(rank) : rank);
    }

    private static double? Of(List<(Regex Matches, double Value)> patterns, string module) =>
        patterns.Find(p => p.Matches.IsMatch(module)) is { Matches: not null } found ? found.Value : null;

    /// <summary>Keys match the end of a module's path, after a dot or the whole of it; the first that does counts.</summary>
    private static List<(Regex Matches, double Value)> Patterns(ConfigJson json, string name)
    {
        List<(Regex, double)> patterns = [];
        foreach (var key in json.Section(name)?.Keys ?? [])
        {
            var value = json.Section(name)!.Number(key) ?? throw json.Section(name)!.Missing(key);
            if (patterns.Count == MaxPatterns || key.Length > LongestPattern || key.AsSpan().ContainsAny("{}"))
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{FileName}: {name} holds '{ModelName.Shorten(key)}', which is not read: at most {MaxPatterns} keys of at most {LongestPattern} characters without braces are.");
            }

            if (name == "rank_pattern" && (value != Math.Floor(value) || value is < 1 or > MaxRank))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{FileName}: {name} states the rank {value} for '{ModelName.Shorten(key)}'.");
            }

            try
            {
                patterns.Add((new Regex($@"\A(?:.*\.)?(?:{key})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), value));
            }
            catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{FileName}: {name} holds '{ModelName.Shorten(key)}', which is not a pattern that is read.", fault);
            }
        }

        return patterns;
    }
}
