namespace LlmOs.Formats;

/// <summary>What DeBERTa's configuration says of its attention and its head.</summary>
/// <remarks>Distances are from a query back to a key.</remarks>
public sealed record DisentangledConfig
{
    /// <summary>Whether distances count at all.</summary>
    public bool Relative { get; private init; }

    /// <summary>Rows of the table of distances on each side of nought.</summary>
    public int Span { get; private init; }

    /// <summary>Buckets of distances; 0: each distance has a row.</summary>
    public int Buckets { get; private init; }

    /// <summary>The distance from which on there is one row.</summary>
    public int MaxDistance { get; private init; }

    /// <summary>Queries look at the distance of the key.</summary>
    public bool ContentToPosition { get; private init; }

    /// <summary>Keys look at the distance of the query.</summary>
    public bool PositionToContent { get; private init; }

    /// <summary>Distances go through the layers of queries and keys instead of layers of their own.</summary>
    public bool SharesLayers { get; private init; }

    /// <summary>Version 1: one layer holds query, key and value of each head.</summary>
    public bool IsPacked { get; init; }

    /// <summary>Whether the table of distances is normed.</summary>
    public bool NormsTable { get; private init; }

    /// <summary>Whether each position has a vector that is added to its token's.</summary>
    public bool HasPositions { get; private init; }

    /// <summary>Tokens that the layer over neighbours sees; 0: there is no such layer.</summary>
    public int ConvWidth { get; private init; }

    public Activation ConvActivation { get; private init; }

    public Activation PoolerActivation { get; private init; }

    /// <summary>Whether the head of the masked language model has a decoder of its own name.</summary>
    public bool LegacyHead { get; private init; }

    /// <param name="context">Tokens that the configuration allows.</param>
    /// <exception cref="ModelFormatException">An option has a value that is not implemented.</exception>
    public static DisentangledConfig Read(ConfigJson json, int context)
    {
        var kinds = json.KindOf("pos_att_type") == System.Text.Json.JsonValueKind.String ? json.Text("pos_att_type")!.Split('|', StringSplitOptions.TrimEntries) : json.Texts("pos_att_type");
        if (kinds.FirstOrDefault(kind => kind is not ("c2p" or "p2c")) is { } unknown)
        {
            throw Unsupported(json, "pos_att_type", unknown, "c2p and p2c");
        }

        var norms = (json.Text("norm_rel_ebd") ?? "none").Split('|', StringSplitOptions.TrimEntries);
        if (norms.FirstOrDefault(norm => norm is not ("none" or "layer_norm")) is { } norm)
        {
            throw Unsupported(json, "norm_rel_ebd", norm, "none and layer_norm");
        }

        if (json.Whole("conv_groups", 1, 1 << 18) is { } groups and not 1)
        {
            throw Unsupported(json, "conv_groups", $"{groups}", "1");
        }

        var convWidth = json.Whole("conv_kernel_size", 0, 1023) ?? 0;
        if (convWidth != 0 && convWidth % 2 == 0)
        {
            throw Unsupported(json, "conv_kernel_size", $"{convWidth}", "odd widths");
        }

        var max = json.Whole("max_relative_positions", -1, ModelConfig.MaxContextLength) is { } stated and >= 1 ? stated : context;
        var buckets = json.Whole("position_buckets", -1, 1 << 18) is { } count and > 0 ? count : 0;
        return new DisentangledConfig
        {
            Relative = json.Flag("relative_attention") ?? false,
            Span = buckets > 0 ? buckets : max,
            Buckets = buckets,
            MaxDistance = max,
            ContentToPosition = kinds.Contains("c2p"),
            PositionToContent = kinds.Contains("p2c"),
            SharesLayers = json.Flag("share_att_key") ?? false,
            NormsTable = norms.Contains("layer_norm"),
            HasPositions = json.Flag("position_biased_input") ?? true,
            ConvWidth = convWidth,
            ConvActivation = Activations.Read(json, "conv_act", "tanh"),
            PoolerActivation = Activations.Read(json, "pooler_hidden_act", "gelu"),
            LegacyHead = json.Flag("legacy") ?? true,
        };
    }

    /// <summary>
    /// The row of a distance: near ones have a row each, far ones share rows by their logarithm. In f32, as published: at the
    /// borders rounding decides.
    /// </summary>
    public int RowOf(int distance)
    {
        var row = distance;
        var near = Buckets / 2;
        if (Buckets > 0 && Math.Abs(distance) > near)
        {
            var share = MathF.Log((float)Math.Abs(distance) / near) / MathF.Log((float)((MaxDistance - 1.0) / near)) * (near - 1);
            row = Math.Sign(distance) * ((int)MathF.Ceiling(share) + near);
        }

        return Math.Clamp(row + Span, 0, (2 * Span) - 1);
    }

    private static ModelFormatException Unsupported(ConfigJson json, string option, string value, string supported) =>
        new(ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option {option} = {value} is not supported; supported: {supported}.");
}
