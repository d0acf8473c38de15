using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Loading;

/// <summary>What a model takes in memory, told from its configuration alone; in bytes.</summary>
/// <param name="Weights">The graph's weights.</param>
/// <param name="Cache">Keys and values of all slots.</param>
/// <param name="Activations">One step's intermediate values and logits.</param>
/// <param name="Context">Tokens that a slot holds.</param>
/// <param name="Slots">Sequences that decode together.</param>
internal sealed record MemoryEstimate(long Weights, long Cache, long Activations, int Context, int Slots)
{
    public long Total => Weights + Cache + Activations;

    /// <param name="context">Tokens a slot holds; cut to the model's own context.</param>
    /// <param name="slots">Sequences that decode together.</param>
    /// <param name="chunk">Tokens of a prompt that are run at once.</param>
    public static MemoryEstimate Of(Architecture architecture, ModelConfig config, WeightPrecision precision, int context, int slots, int chunk)
    {
        var tokens = Math.Min(context, config.ContextLength);
        // A step holds a few tensors at a time: the widest is the feed-forward's, the others are as wide as the model.
        var width = (2L * config.Intermediate) + (6L * config.Hidden) + (((long)config.Heads + (2L * config.KvHeads)) * config.HeadDim);
        // Encoders keep nothing between runs; they score every token of a text for every other.
        var scores = architecture is EncoderArchitecture ? (long)config.Heads * tokens * tokens * sizeof(float) : 0;
        var shape = architecture is DecoderArchitecture ? DecoderArchitecture.ShapeOf(config) : null;
        var rotary = shape is null ? 0 : 2L * shape.ContextLength * (shape.HeadDim / 2) * sizeof(float); // tables of cosines and sines
        return new MemoryEstimate(
            rotary + architecture.Weights(config).Sum(tensor => BytesOf(tensor, config, precision)),
            (shape?.KvBytesPerToken ?? 0) * tokens * slots,
            scores + (Math.Max(chunk, slots) * width * sizeof(float)) + ((long)slots * config.Vocabulary * sizeof(float)),
            tokens,
            slots);
    }

    private static long BytesOf(TensorInfo tensor, ModelConfig config, WeightPrecision precision)
    {
        if (tensor.Shape is not [var rows, var columns])
        {
            return tensor.Elements * sizeof(float);
        }

        var kind = rows == config.Vocabulary ? MatrixKind.Vocabulary
            : rows == config.Experts?.Count ? MatrixKind.Router
            : MatrixKind.Projection;
        return LinearBlocks.FormatOf(precision, kind, columns)?.BytesOf(rows, columns) ?? (tensor.Elements * sizeof(float));
    }
}
