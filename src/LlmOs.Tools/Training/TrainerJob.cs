using LlmOs.Contracts;

namespace LlmOs.Tools.Training;

/// <summary>What the trainer process is told to do: the file whose path it is given, written with the platform's JSON rules.</summary>
internal sealed record TrainerJob
{
    /// <summary>What was asked for; the trainer checks it again.</summary>
    public required TrainingRequest Spec { get; init; }

    /// <summary>The text, a file of this machine.</summary>
    public required string TextPath { get; init; }

    /// <summary>Where the result goes: a folder that does not exist yet; it appears whole.</summary>
    public required string ResultFolder { get; init; }

    /// <summary>Room for token files.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>Where checkpoints go; emptied at the start. Default: a folder of the work folder.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Folder of the model whose tokenizer is reused.</summary>
    public string? TokenizerFolder { get; init; }

    /// <summary>Folder of the model whose training goes on.</summary>
    public string? BaseFolder { get; init; }

    /// <summary>Whether everything else on the machine goes first.</summary>
    public bool LowPriority { get; init; } = true;
}
