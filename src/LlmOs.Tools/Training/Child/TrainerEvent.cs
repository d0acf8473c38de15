using System.Text.Json;
using System.Text.Json.Serialization;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Training.Child;

/// <summary>A line that the trainer writes to standard output: JSON whose <c>event</c> says which of these it is.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(TrainerHello), "hello")]
[JsonDerivedType(typeof(TrainerStage), "stage")]
[JsonDerivedType(typeof(TrainerProgress), "progress")]
[JsonDerivedType(typeof(TrainerCheckpoint), "checkpoint")]
[JsonDerivedType(typeof(TrainerSample), "sample")]
[JsonDerivedType(typeof(TrainerHeartbeat), "heartbeat")]
[JsonDerivedType(typeof(TrainerWarning), "warning")]
[JsonDerivedType(typeof(TrainerCompleted), "completed")]
[JsonDerivedType(typeof(TrainerFailed), "failed")]
internal abstract record TrainerEvent;

/// <summary>First line: who is there.</summary>
internal sealed record TrainerHello(string Version, string Torch, int Threads, int ProcessId) : TrainerEvent;

/// <summary>What comes next: a code of <see cref="TrainingCodes"/>.</summary>
internal sealed record TrainerStage(string Code, JsonElement Arguments) : TrainerEvent
{
    public static TrainerStage Of(JobMessage message) => new(message.Code.Word, message.Arguments);
}

/// <summary>Where the training stands; a few a second at most.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Progress">From 0 to 1.</param>
/// <param name="Tokens">Tokens trained on so far.</param>
/// <param name="Loss">Of the last step, nats per token.</param>
/// <param name="GradientNorm">Of the last step, before clipping; null where it was no number.</param>
/// <param name="ValidationLoss">The latest one; null before the first.</param>
/// <param name="Skipped">Steps whose gradient was thrown away.</param>
/// <param name="ResidentBytes">Memory of the process.</param>
/// <param name="LiveTensors">Tensors of the training thread; constant, or something leaks.</param>
internal sealed record TrainerProgress(
    long Step,
    double Progress,
    long Tokens,
    double? Loss,
    double LearningRate,
    double? GradientNorm,
    double TokensPerSecond,
    double? ValidationLoss,
    double EtaSeconds,
    int Skipped,
    long ResidentBytes,
    long LiveTensors) : TrainerEvent;

/// <summary>A checkpoint is on the disk, whole.</summary>
internal sealed record TrainerCheckpoint(long Step, string Folder) : TrainerEvent;

/// <summary>What the model makes of a text's beginning now.</summary>
/// <param name="PromptTokens">Tokens of the beginning.</param>
/// <param name="GeneratedTokens">Tokens that were made, an end token included.</param>
internal sealed record TrainerSample(long Step, string Prompt, string Text, int PromptTokens, int GeneratedTokens) : TrainerEvent;

/// <summary>The process is alive; once in five seconds.</summary>
internal sealed record TrainerHeartbeat : TrainerEvent;

/// <summary>Something a person should know, as a code of <see cref="TrainingCodes"/>; the training goes on.</summary>
internal sealed record TrainerWarning(string Code, JsonElement Arguments) : TrainerEvent
{
    public static TrainerWarning Of(JobMessage message) => new(message.Code.Word, message.Arguments);
}

/// <summary>Last line of a training that ended: the result folder is whole.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="KeptStep">The step whose weights the result holds: an earlier one where the training ended early.</param>
/// <param name="Loss">Of the last step.</param>
/// <param name="ValidationLoss">Of the kept weights; null without validation.</param>
internal sealed record TrainerCompleted(string Folder, long Steps, long KeptStep, long Tokens, double Loss, double? ValidationLoss, double Seconds) : TrainerEvent;

/// <summary>Last line of one that did not.</summary>
/// <param name="Code">An error code in snake case.</param>
/// <param name="Field">The field of the request that is at fault, where one is.</param>
internal sealed record TrainerFailed(string Code, string Message, string? Field, string? Hint) : TrainerEvent;

/// <summary>What the exit code of the trainer says.</summary>
internal static class TrainerExit
{
    public const int Done = 0;

    /// <summary>A bug or a machine at fault; the last line says more.</summary>
    public const int Failed = 1;

    public const int Cancelled = 3;

    /// <summary>It left a checkpoint to go on from.</summary>
    public const int Paused = 5;

    /// <summary>The job asks for what cannot be; trying again is of no use.</summary>
    public const int BadInput = 4;
}
