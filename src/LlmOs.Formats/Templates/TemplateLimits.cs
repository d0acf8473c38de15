namespace LlmOs.Formats.Templates;

/// <summary>What one rendering may take. A template comes with a model from anywhere, so nothing in it is trusted to end.</summary>
public sealed record TemplateLimits
{
    public static TemplateLimits Default { get; } = new();

    /// <summary>Evaluated expressions, statements and turns of loops; searching and comparing long texts counts too.</summary>
    public long Steps { get; init; } = 2_000_000;

    /// <summary>UTF-16 units of the longest text that may be made, the result among them.</summary>
    public int TextLength { get; init; } = 8 << 20;

    /// <summary>UTF-16 units of all texts that are made on the way, which bounds the memory; a list's item counts as 32.</summary>
    public long TotalText { get; init; } = 64L << 20;

    /// <summary>Levels of expressions, blocks and calls within each other, and of lists within lists.</summary>
    public int Depth { get; init; } = 800;

    /// <summary>How long it may take.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(5);
}
