using LlmOs.Models.Zoo;

namespace LlmOs.TrainingBench;

/// <summary>What is trained in a measurement: a model, and how much of it at once.</summary>
/// <param name="Windows">Windows of one optimizer step, all in one pass.</param>
/// <param name="Precision">As in a training request: <c>f32</c> or <c>bf16</c>.</param>
internal sealed record TrainingShape(string Name, LlamaSizes Sizes, int Windows, string Precision)
{
    public int StepTokens => Windows * Sizes.Context;

    /// <summary>
    /// Operations for one token, forward and backward: six for each weight that is multiplied with (the embedding counts as the
    /// tied head), and the two products of the attention, over the whole window as they are computed (arXiv:2204.02311, appendix B).
    /// </summary>
    public double OperationsPerToken => (6.0 * Sizes.Parameters) + (12.0 * Sizes.Layers * Sizes.Heads * Sizes.HeadDim * Sizes.Context);
}

/// <summary>The shapes that can be measured; another one is a line here.</summary>
internal static class TrainingShapes
{
    private static readonly LlamaSizes OneMillion = new(Vocabulary: 1024, Hidden: 128, Layers: 4, Heads: 4, KvHeads: 2, Intermediate: 384, Context: 256);
    private static readonly LlamaSizes TenMillion = new(Vocabulary: 1024, Hidden: 384, Layers: 6, Heads: 6, KvHeads: 3, Intermediate: 1024, Context: 256);

    private static readonly LlamaSizes ThirtyMillion = new(Vocabulary: 4096, Hidden: 512, Layers: 9, Heads: 8, KvHeads: 4, Intermediate: 1408, Context: 256);

    public static IReadOnlyList<TrainingShape> All { get; } =
    [
        new("1m", OneMillion, Windows: 8, "bf16"),
        new("1m-f32", OneMillion, Windows: 8, "f32"),
        new("10m", TenMillion, Windows: 8, "bf16"),
        new("10m-f32", TenMillion, Windows: 8, "f32"),
        new("28m", ThirtyMillion, Windows: 4, "bf16"),
        new("28m-f32", ThirtyMillion, Windows: 4, "f32"),
        new("starter", new(Vocabulary: 3072, Hidden: 192, Layers: 4, Heads: 6, KvHeads: 3, Intermediate: 512, Context: 512), Windows: 8, "bf16"),
    ];
}
