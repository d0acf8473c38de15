using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>What a plan must know besides the request.</summary>
/// <param name="Cores">Processor cores of this machine.</param>
/// <param name="HasNarrowMatrices">Whether its processor multiplies bf16 matrices itself.</param>
/// <param name="MemoryBytes">Memory that a training may take; null where nobody knows.</param>
/// <param name="DiskBytes">Free room where it works; null where nobody knows.</param>
/// <param name="TextBytes">Size of the text.</param>
/// <param name="Base">Sizes of the model that is trained on, null for a new one.</param>
/// <param name="StoredVocabulary">Vocabulary of the reused tokenizer; null when one is trained.</param>
internal sealed record TrainingFacts(
    int Cores,
    bool HasNarrowMatrices,
    long? MemoryBytes,
    long? DiskBytes,
    long TextBytes,
    DecoderSizes? Base = null,
    int? StoredVocabulary = null);

/// <summary>A training request with every default filled in and every number checked: nothing is left for torch to stumble over.</summary>
/// <param name="Sizes">Of the model; the vocabulary is the most it may have.</param>
/// <param name="Window">Tokens of a training window.</param>
/// <param name="BatchWindows">Windows of a step.</param>
/// <param name="MicroWindows">Windows of one pass.</param>
/// <param name="Steps">Null when the budget is time.</param>
/// <param name="Minutes">Null when the budget is steps.</param>
/// <param name="CheckpointEvery">Steps; 0: none on schedule.</param>
/// <param name="ValidateEvery">Steps; null: each twentieth of the training.</param>
/// <param name="Patience">Validations without improvement after which the training ends; null: it does not.</param>
/// <param name="Samples">Beginnings of texts to go on with at each validation.</param>
internal sealed record TrainingPlan(
    DecoderSizes Sizes,
    IReadOnlyList<string> SpecialTokens,
    int Window,
    int BatchWindows,
    int MicroWindows,
    long? Steps,
    double? Minutes,
    LearningRate Rate,
    AdamWOptions AdamW,
    double Clip,
    bool Narrow,
    bool HalfWeights,
    long Seed,
    int CheckpointEvery,
    int? ValidateEvery,
    int? Patience,
    IReadOnlyList<string> Samples,
    double Validation,
    int Threads)
{
    /// <summary>What ends a document unless the request names another token.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>The ids of vocabularies up to here are kept in 16 bits, of larger ones in 32.</summary>
    public const int NarrowVocabulary = 1 << 16;

    public int BatchTokens => BatchWindows * Window;

    /// <summary>Bytes the training holds at its peak: optimizer, gradients and one pass' activations; an estimate from above.</summary>
    public long MemoryBytes
    {
        get
        {
            var element = Narrow ? 2 : 4;
            var perWeight = Narrow ? 20L : 16L;
            var perToken = (Sizes.Layers * ((24L * Sizes.Hidden) + (6L * Sizes.Intermediate) + (4L * Sizes.Heads * Window)) * element)
                + (Sizes.Vocabulary * ((2L * element) + 12));
            return (perWeight * Sizes.Parameters) + (perToken * MicroWindows * Window) + (400L << 20);
        }
    }

    /// <summary>Bytes of an id in the token files.</summary>
    public int IdBytes => Sizes.Vocabulary > NarrowVocabulary ? sizeof(uint) : sizeof(ushort);

    /// <summary>Bytes of a checkpoint: weights and both moments in f32.</summary>
    public long CheckpointBytes => (12L * Sizes.Parameters) + (4L << 20);

    /// <summary>
    /// Bytes on disk: token files (a token is seldom shorter than a byte of text), the checkpoints that are kept (two, the best
    /// one, one between) and the next, and the result with its copy in the store and its graph.
    /// </summary>
    public long DiskBytes(long textBytes) => (IdBytes * textBytes) + (5 * CheckpointBytes) + (12L * Sizes.Parameters) + (64L << 20);
}
