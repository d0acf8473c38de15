namespace LlmOs.Models.Zoo;

/// <summary>How a serving graph holds its weight matrices. Norms, biases and activations are f32 in all of them.</summary>
public enum WeightPrecision
{
    F32,

    /// <summary>8-bit blocks of 32.</summary>
    EightBit,

    /// <summary>4-bit blocks of 32; the embedding and the head in 8-bit blocks.</summary>
    FourBit,
}

/// <summary>The words for precisions: what a version is stored and served in.</summary>
public static class Precisions
{
    public const string Full = "f32";

    /// <summary>Stored as f16, computed in f32: no processor kernel multiplies f16 faster.</summary>
    public const string Half = "f16";

    public const string EightBit = "int8";

    public const string FourBit = "int4";

    public static IReadOnlyList<string> All { get; } = [Full, Half, EightBit, FourBit];

    /// <summary>What the graph of a version of this precision holds.</summary>
    public static WeightPrecision OfGraph(string precision) => precision switch
    {
        Full or Half => WeightPrecision.F32,
        EightBit => WeightPrecision.EightBit,
        FourBit => WeightPrecision.FourBit,
        _ => throw new ArgumentException($"'{precision}' is no precision; expected one of {string.Join(", ", All)}.", nameof(precision)),
    };
}
