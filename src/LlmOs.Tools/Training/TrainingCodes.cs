using System.Text.Json;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Training;

/// <summary>What trainings say.</summary>
internal static class TrainingCodes
{
    // Said by the trainer.
    public static readonly JobCode TrainingTokenizer = new("training_tokenizer", "training the tokenizer");
    public static readonly JobCode ReadingText = new("reading_text", "reading the text");
    public static readonly JobCode Tokenizing = new("tokenizing", "tokenising the text");
    public static readonly JobCode TrainingWeights = new("training_weights", "training {weights} weights in {precision} on {tokens} tokens");
    public static readonly JobCode GoingOn = new("going_on", "going on from the checkpoint of step {step}");
    public static readonly JobCode KeepingBest = new("keeping_best", "keeping the weights of step {step}, the best so far");
    public static readonly JobCode WritingModel = new("writing_model", "writing the model");
    public static readonly JobCode NoValidation = new("no_validation", "The {tokens} tokens kept for validation do not fill one window: there is no validation loss.");
    public static readonly JobCode SmallVocabulary = new("small_vocabulary", "The text has too few repeated words for {wanted} tokens: the vocabulary has {found}.");
    public static readonly JobCode OtherArithmetic = new("other_arithmetic", "The training goes on with other threads, another precision or another libtorch: the result is as good, but not the same to the bit.");
    public static readonly JobCode StepSkipped = new("step_skipped", "Step {step} was skipped: loss {loss:g4}, gradient norm {norm:g4}.");
    public static readonly JobCode RolledBack = new("rolled_back", "Three gradients in a row were no use: back to the weights of step {step}, at half the rate.");
    public static readonly JobCode CheckpointDamaged = new("checkpoint_damaged", "The checkpoint '{checkpoint}' is damaged and is not used.");

    // Said of the trainer.
    public static readonly JobCode Step = new("step", "step {step}, loss {loss:0.000}");
    public static readonly JobCode Sample = new("sample", "step {step} writes: {prompt}{text}");
    public static readonly JobCode TrainerSilent = new("trainer_silent", "The trainer said nothing for a minute and was ended.");
    public static readonly JobCode TrainerGaveUp = new("trainer_gave_up", "The trainer gave up: {error}");
    public static readonly JobCode TrainerKilled = new("trainer_killed", "The trainer was killed (signal 9).");
    public static readonly JobCode TrainerSignalled = new("trainer_signalled", "The trainer was ended by signal {signal}.");
    public static readonly JobCode TrainerEndedByOthers = new("trainer_ended_by_others", "The trainer was ended by somebody (signal 15).");
    public static readonly JobCode TrainerEnded = new("trainer_ended", "The trainer ended with code {exit_code} and without a result.");
    public static readonly JobCode RestartedAtStep = new("restarted_at_step", "Going on from the checkpoint of step {step} (restart {restart} of {max} without progress)");
    public static readonly JobCode RestartedAtStart = new("restarted_at_start", "Going on from the beginning (restart {restart} of {max} without progress)");
    public static readonly JobCode Trained = new("trained", "trained for {steps} steps");
    public static readonly JobCode Comparing = new("comparing", "comparing the served graph with the trained model");

    private static readonly JobCode[] OfTrainer =
    [
        TrainingTokenizer, ReadingText, Tokenizing, TrainingWeights, GoingOn, KeepingBest, WritingModel,
        NoValidation, SmallVocabulary, OtherArithmetic, StepSkipped, RolledBack, CheckpointDamaged,
    ];

    /// <summary>What the trainer wrote on its line; null for a word of another version.</summary>
    public static JobMessage? Read(string word, JsonElement arguments) =>
        arguments.ValueKind == JsonValueKind.Object && Array.Find(OfTrainer, code => code.Word == word) is { } known ? new JobMessage(known, arguments) : null;
}
