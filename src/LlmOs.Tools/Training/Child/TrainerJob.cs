using LlmOs.Contracts;

namespace LlmOs.Tools.Training.Child;

/// <summary>What the trainer process is told to do: the file whose path it is given, written with the platform's JSON rules.</summary>
internal sealed record TrainerJob
{
    /// <summary>What was asked for; the trainer checks it again.</summary>
    public required TrainingRequest Spec { get; init; }

    /// <summary>The text, a file of this machine.</summary>
    public required string TextPath { get; init; }

    /// <summary>Where the result goes: a folder that does not exist yet; it appears whole.</summary>
    public required string ResultFolder { get; init; }

    /// <summary>
    /// The job's own room, for token files and checkpoints; kept from one start to the next. A trainer that finds a checkpoint
    /// of the same request there goes on from it.
    /// </summary>
    public required string WorkFolder { get; init; }

    /// <summary>Higher for each later start of the job: of two trainers that run at once, the one with the lower number ends.</summary>
    public long Turn { get; init; } = 1;

    /// <summary>Folder of the model whose tokenizer is reused.</summary>
    public string? TokenizerFolder { get; init; }

    /// <summary>Rows that the embedding of that model has.</summary>
    public int? StoredVocabulary { get; init; }

    /// <summary>Folder of the model whose training goes on; its tokenizer is used.</summary>
    public string? BaseFolder { get; init; }

    /// <summary>Whether everything else on the machine goes first.</summary>
    public bool LowPriority { get; init; } = true;
}
