namespace LlmOs.Engine.Formats;

/// <summary>How rotary positions are scaled.</summary>
public enum RopeType
{
    /// <summary>Plain rotary embedding.</summary>
    Default,

    /// <summary>Every frequency divided by the factor (position interpolation).</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, those between blended.</summary>
    Llama3,
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

    /// <summary>
    /// Reads either spelling: <c>rope_parameters</c> with everything in it, or <c>rope_theta</c> beside <c>rope_scaling</c>.
    /// </summary>
    public static RopeConfig Read(ConfigJson config)
    {
        var section = config.Section("rope_parameters") ?? config.Section("rope_scaling");
        var theta = section?.Number("rope_theta") ?? config.Number("rope_theta") ?? 10_000;
        if (theta <= 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{config.File}: 'rope_theta' must be above 0, not {theta}.");
        }

        var kind = section?.Text("rope_type") ?? section?.Text("type") ?? "default";
        if (section is not null && (section.Number("partial_rotary_factor") ?? 1) != 1)
        {
            throw Unsupported(config, section.NameOf("partial_rotary_factor"), section.RawText("partial_rotary_factor")!, "1");
        }

        return kind switch
        {
            "default" => new RopeConfig { Theta = theta },
            "linear" => new RopeConfig { Type = RopeType.Linear, Theta = theta, Factor = Positive(section!, "factor") },
            "llama3" => new RopeConfig
            {
                Type = RopeType.Llama3,
                Theta = theta,
                Factor = Positive(section!, "factor"),
                LowFrequencyFactor = Positive(section!, "low_freq_factor"),
                HighFrequencyFactor = Positive(section!, "high_freq_factor"),
                OriginalContextLength = section!.Whole("original_max_position_embeddings", 1, ModelConfig.MaxContextLength)
                    ?? throw section.Missing("original_max_position_embeddings"),
            },
            _ => throw Unsupported(config, section!.NameOf("rope_type"), $"\"{kind}\"", "default, linear and llama3"),
        };
    }

    private static double Positive(ConfigJson section, string key)
    {
        var value = section.Number(key) ?? throw section.Missing(key);
        return value > 0 ? value : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{section.File}: '{section.NameOf(key)}' must be above 0, not {value}.");
    }

    private static ModelFormatException Unsupported(ConfigJson config, string option, string value, string supported) =>
        new(ModelFormatProblem.UnsupportedArchitecture, $"{config.File}: {option} = {value} is not supported; supported: {supported}.");
}
