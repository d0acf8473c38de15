namespace LlmOs.Formats;

/// <summary>How one architecture's config.json names its numbers, what it takes for granted, and which options it honours.</summary>
public sealed record ConfigSpelling
{
    public string Hidden { get; init; } = "hidden_size";

    public string Intermediate { get; init; } = "intermediate_size";

    /// <summary>The intermediate width as a multiple of the hidden one where the file states none; 0: it must be stated.</summary>
    public int DefaultExpansion { get; init; }

    public string Layers { get; init; } = "num_hidden_layers";

    public string Heads { get; init; } = "num_attention_heads";

    public string KvHeads { get; init; } = "num_key_value_heads";

    public string HeadDim { get; init; } = "head_dim";

    public int? DefaultHeadDim { get; init; }

    public string Context { get; init; } = "max_position_embeddings";

    public int DefaultContext { get; init; } = 2048;

    public string Epsilon { get; init; } = "rms_norm_eps";

    public double DefaultEpsilon { get; init; } = 1e-6;

    public string Activation { get; init; } = "hidden_act";

    public string DefaultActivation { get; init; } = "silu";

    public bool DefaultTied { get; init; }

    /// <summary>Whether positions are rotary.</summary>
    public bool Rotary { get; init; } = true;

    /// <summary>Share of a head that turns where the file states none.</summary>
    public double DefaultRotaryShare { get; init; } = 1;

    /// <summary>Options of <see cref="UnsupportedOptions"/> that this architecture implements.</summary>
    public IReadOnlyList<string> Implemented { get; init; } = [];
}
