using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>The rows of one head after the other in a published projection: head h begins at row First + h * Stride.</summary>
/// <param name="Layer">The published layer, without <c>.weight</c>.</param>
internal sealed record HeadRows(string Layer, long First, long Stride)
{
    /// <summary>Heads of a group, and the rows from one group to the next, where heads stand in groups.</summary>
    public (int Heads, long Stride)? Group { get; init; }

    /// <summary>The first row of a head.</summary>
    public long RowOf(int head) => First + (Group is { } group ? (head / group.Heads * group.Stride) + (head % group.Heads * Stride) : head * Stride);
}

/// <summary>Where an attention's four projections lie in the published weights.</summary>
/// <param name="Layers">The published layers that hold queries, keys and values, with their rows.</param>
/// <param name="Output">The published layer of the output projection.</param>
internal sealed record AttentionWeights(
    IReadOnlyList<(string Layer, long Rows)> Layers, HeadRows Query, HeadRows Key, HeadRows Value, string Output)
{
    /// <summary>A layer for each of the three.</summary>
    public static AttentionWeights Separate(string query, string key, string value, string output, int heads, int kvHeads, int width) => new(
        [(query, (long)heads * width), (key, (long)kvHeads * width), (value, (long)kvHeads * width)],
        new HeadRows(query, 0, width),
        new HeadRows(key, 0, width),
        new HeadRows(value, 0, width),
        output);

    /// <summary>The layers <c>q_proj</c>, <c>k_proj</c> and <c>v_proj</c> below a name, and the output's.</summary>
    public static AttentionWeights Projections(ModelConfig config, string at, string output) =>
        Separate($"{at}.q_proj", $"{at}.k_proj", $"{at}.v_proj", $"{at}.{output}", config.Heads, config.KvHeads, config.HeadDim);

    /// <summary>One layer: all queries, then all keys, then all values.</summary>
    public static AttentionWeights Packed(string layer, string output, int heads, int kvHeads, int width) => new(
        [(layer, (long)(heads + (2 * kvHeads)) * width)],
        new HeadRows(layer, 0, width),
        new HeadRows(layer, (long)heads * width, width),
        new HeadRows(layer, (long)(heads + kvHeads) * width, width),
        output);

    /// <summary>One layer: for each head its query, key and value.</summary>
    public static AttentionWeights PackedByHead(string layer, string output, int heads, int width) => new(
        [(layer, 3L * heads * width)],
        new HeadRows(layer, 0, 3L * width),
        new HeadRows(layer, width, 3L * width),
        new HeadRows(layer, 2L * width, 3L * width),
        output);

    /// <summary>One layer: for each key its queries, then the key, then its value.</summary>
    public static AttentionWeights PackedByGroup(string layer, string output, int heads, int kvHeads, int width)
    {
        var (queries, group) = (heads / kvHeads, (long)((heads / kvHeads) + 2) * width);
        return new(
            [(layer, kvHeads * group)],
            new HeadRows(layer, 0, width) { Group = (queries, group) },
            new HeadRows(layer, (long)queries * width, group),
            new HeadRows(layer, (long)(queries + 1) * width, group),
            output);
    }
}

/// <summary>What an architecture's attention has besides its projections.</summary>
internal sealed record AttentionOptions
{
    /// <summary>Biases on queries, keys and values.</summary>
    public bool Bias { get; init; }

    /// <summary>A bias on the output projection.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether positions are rotary.</summary>
    public bool Rotary { get; init; } = true;

    /// <summary>Whether rotary positions turn neighbouring components instead of those of both halves.</summary>
    public bool Interleaved { get; init; }

    /// <summary>Published norms of query and key heads before they turn, or null.</summary>
    public (string Query, string Key)? HeadNorms { get; init; }

    /// <summary>What <see cref="HeadNorms"/> are.</summary>
    public HeadNorm HeadNorm { get; init; }

    /// <summary>Added to the scores: [rows, heads, tokens, tokens seen] tensor, or null.</summary>
    public string? ScoreBias { get; init; }

    /// <summary>Added to the gains of <see cref="HeadNorms"/>.</summary>
    public float GainOffset { get; init; }
}

/// <summary>How query and key heads are normed.</summary>
internal enum HeadNorm
{
    /// <summary>RMS norms of each head, with one gain [D] for all.</summary>
    OneGain,

    /// <summary>One RMS norm over all heads together, with a gain [heads * D].</summary>
    Together,

    /// <summary>Layer norms of each head without an offset, with a gain [heads, D].</summary>
    Layer,

    /// <summary>The same, with a weight <c>norms.h</c> for each head.</summary>
    LayerApart,
}
