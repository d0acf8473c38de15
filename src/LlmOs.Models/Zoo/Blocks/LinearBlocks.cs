using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Which block format a matrix of a graph gets.</summary>
internal static class LinearBlocks
{
    /// <summary>Elements that share a scale.</summary>
    public const int BlockSize = 32;

    private static readonly BlockFormat Eight = new(8, BlockSize, Symmetric: true);
    private static readonly BlockFormat Four = new(4, BlockSize, Symmetric: false);

    /// <param name="columns">The inputs: blocks run along them, and do not span rows.</param>
    /// <returns>Null where the matrix stays f32.</returns>
    public static BlockFormat? FormatOf(WeightPrecision precision, MatrixKind kind, long columns) =>
        kind == MatrixKind.Router || columns % BlockSize != 0 ? null : precision switch
        {
            WeightPrecision.F32 => null,
            WeightPrecision.EightBit => Eight,
            WeightPrecision.FourBit => kind == MatrixKind.Vocabulary ? Eight : Four,
        };
}
