using LlmOs.Engine.Execution;

namespace LlmOs.Models.Zoo;

/// <summary>What the precision of a graph's weights means for the engine.</summary>
internal static class BlockShapes
{
    /// <summary>
    /// The runtime's product with 4-bit blocks sums the blocks of a lone row in another order than those of two rows and more;
    /// since inputs are rounded to 8 bits, the next layers make more of it (seen: 1.4 on a logit of SmolLM2, another token in four
    /// of 48). Its products with 8-bit blocks and with f32 give the same bits either way.
    /// </summary>
    public static DecoderShape At(this DecoderShape shape, WeightPrecision precision) =>
        shape with { RowsNeedCompany = precision == WeightPrecision.FourBit };
}
