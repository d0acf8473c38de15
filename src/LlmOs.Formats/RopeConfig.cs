namespace LlmOs.Formats;

/// <summary>How rotary positions are scaled.</summary>
public enum RopeType
{
    /// <summary>Plain rotary embedding.</summary>
    Default,

    /// <summary>Every frequency divided by the factor (position interpolation).</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, those between blended.</summary>
    Llama3,

    /// <summary>YaRN (arXiv 2309.00071): low frequencies divided by the factor, high ones kept, a ramp between, and scores raised a little.</summary>
    Yarn,
}

/// <summary>Rotary position embedding: base and scaling.</summary>
public sealed record RopeConfig
{
    public RopeType Type { get; init; }

    /// <summary>The base of the frequencies: base^(-2i/d).</summary>
    public double Theta { get; init; } = 10_000;

    /// <summary>Context extension; 1 for <see cref="RopeType.Default"/>.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama 3: original context / this = the wavelength above which a frequency is low.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: original context / this = the wavelength below which a frequency is high.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Llama 3: tokens the model was trained with before the extension.</summary>
    public int OriginalContextLength { get; init; } = 8192;

    /// <summary>YaRN: turns within the original context above which a frequency is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: turns within the original context below which a frequency is divided by the factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: whether the ramp's ends are rounded outwards to whole pairs.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>What cosines and sines are multiplied by.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>Longrope: a divisor for each frequency; null: none.</summary>
    public IReadOnlyList<double>? Divisors { get; init; }

    /// <summary>Share of a head that turns, from its first component on.</summary>
    public double Share { get; init; } = 1;

    /// <summary>
    /// The longest context these numbers hold for, where the configuration's may be longer; null: any. Scalings that change
    /// with the length of the text (<c>dynamic</c>, <c>longrope</c>) are served up to where they begin to change.
    /// </summary>
    public int? LongestContext { get; init; }

    /// <summary>Components of a head that turn.</summary>
    public int RotaryWidth(int headDim) => (int)(headDim * Share) / 2 * 2;

    /// <summary>
    /// Reads either spelling: <c>rope_parameters</c> with everything in it, or <c>rope_theta</c> beside <c>rope_scaling</c>.
    /// </summary>
    /// <param name="defaultShare">Share of a head that turns where the file states none.</param>
    /// <param name="partial">Whether the architecture can turn a part of a head.</param>
    public static RopeConfig Read(ConfigJson config, double defaultShare = 1, bool partial = false)
    {
        var section = config.Section("rope_parameters") ?? config.Section("rope_scaling");
        return Read(config, section, config.Number("rope_theta") ?? config.Number("rotary_emb_base") ?? 10_000, defaultShare, partial);
    }

    /// <summary>Reads one section of scalings; <paramref name="theta"/> and <paramref name="defaultShare"/> hold where it states none.</summary>
    public static RopeConfig Read(ConfigJson config, ConfigJson? section, double theta, double defaultShare, bool partial)
    {
        theta = section?.Number("rope_theta") ?? theta;
        if (theta <= 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{config.File}: 'rope_theta' must be above 0, not {theta}.");
        }

        var share = section?.Number("partial_rotary_factor") ?? config.Number("partial_rotary_factor") ?? config.Number("rotary_pct") ?? defaultShare;
        if (!partial && share != 1)
        {
            throw Unsupported(config, section!.NameOf("partial_rotary_factor"), section.RawText("partial_rotary_factor")!, "1");
        }

        if (share is <= 0 or > 1)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{config.File}: 'partial_rotary_factor' must be above 0 and at most 1, not {share}.");
        }

        var kind = section?.Text("rope_type") ?? section?.Text("type") ?? "default";
        var plain = new RopeConfig { Theta = theta, Share = share };
        return kind switch
        {
            "default" => plain,
            "linear" => plain with { Type = RopeType.Linear, Factor = Positive(section!, "factor") },
            "llama3" => plain with
            {
                Type = RopeType.Llama3,
                Factor = Positive(section!, "factor"),
                LowFrequencyFactor = Positive(section!, "low_freq_factor"),
                HighFrequencyFactor = Positive(section!, "high_freq_factor"),
                OriginalContextLength = section!.Whole("original_max_position_embeddings", 1, ModelConfig.MaxContextLength)
                    ?? throw section.Missing("original_max_position_embeddings"),
            },
            // Up to the configured length nothing is scaled; beyond it the base would grow with every token.
            "dynamic" => plain with { LongestContext = OriginalContext(config, section!) },
            "yarn" => Yarn(config, section!, plain),
            "longrope" or "su" => LongRope(config, section!, plain),
            _ => throw Unsupported(config, section!.NameOf("rope_type"), $"\"{kind}\"", "default, linear, dynamic, llama3, yarn and longrope"),
        };
    }

    private static RopeConfig Yarn(ConfigJson config, ConfigJson section, RopeConfig plain)
    {
        var factor = Positive(section, "factor");
        var original = OriginalContext(config, section);
        // Published rule: without an explicit factor it follows from the extension, or from DeepSeek's two magnitudes.
        var (magnitude, ofAll) = (section.Number("mscale"), section.Number("mscale_all_dim"));
        var attention = section.Number("attention_factor")
            ?? (magnitude is > 0 && ofAll is > 0 ? YarnMagnitude(factor, magnitude.Value) / YarnMagnitude(factor, ofAll.Value) : YarnMagnitude(factor, 1));
        return plain with
        {
            Type = RopeType.Yarn,
            Factor = factor,
            OriginalContextLength = original,
            BetaFast = section.Number("beta_fast") ?? 32,
            BetaSlow = section.Number("beta_slow") ?? 1,
            Truncate = section.Flag("truncate") ?? true,
            AttentionFactor = attention,
        };
    }

    private static double YarnMagnitude(double factor, double magnitude) => factor <= 1 ? 1 : (0.1 * magnitude * Math.Log(factor)) + 1;

    /// <summary>
    /// Phi-3's rule: up to the original context the short divisors hold, beyond it the long ones for every position. The
    /// attention factor sqrt(1 + ln(extension) / ln(original)) holds for both.
    /// </summary>
    private static RopeConfig LongRope(ConfigJson config, ConfigJson section, RopeConfig plain)
    {
        var original = OriginalContext(config, section);
        var longest = config.Whole("max_position_embeddings", 1, ModelConfig.MaxContextLength) ?? original;
        var extension = section.Number("factor") ?? (double)longest / original;
        var divisors = section.Numbers("short_factor");
        if (divisors.Count == 0)
        {
            throw section.Missing("short_factor");
        }

        if (divisors.Any(d => d <= 0))
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{section.File}: '{section.NameOf("short_factor")}' must hold numbers above 0.");
        }

        return plain with
        {
            Divisors = divisors,
            AttentionFactor = section.Number("attention_factor") ?? (extension <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(extension) / Math.Log(original)))),
            OriginalContextLength = original,
            LongestContext = original,
        };
    }

    private static int OriginalContext(ConfigJson config, ConfigJson section) =>
        section.Whole("original_max_position_embeddings", 1, ModelConfig.MaxContextLength)
        ?? config.Whole("original_max_position_embeddings", 1, ModelConfig.MaxContextLength)
        ?? config.Whole("max_position_embeddings", 1, ModelConfig.MaxContextLength)
        ?? throw section.Missing("original_max_position_embeddings");

    private static double Positive(ConfigJson section, string key)
    {
        var value = section.Number(key) ?? throw section.Missing(key);
        return value > 0 ? value : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{section.File}: '{section.NameOf(key)}' must be above 0, not {value}.");
    }

    private static ModelFormatException Unsupported(ConfigJson config, string option, string value, string supported) =>
        new(ModelFormatProblem.UnsupportedArchitecture, $"{config.File}: {option} = {value} is not supported; supported: {supported}.");
}
