using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Files;
using LlmOs.Trainer.Optimisation;

namespace LlmOs.Trainer.Run;

/// <summary>A validation loss and the step after which it was taken.</summary>
internal readonly record struct ValidationRecord(long Step, double Loss);

/// <summary>
/// Where a training stands, apart from its weights and moments. With these numbers the rest of the training is decided: the
/// order of the data and the samples are computed from the seed, and nothing else is left to chance after the first weights.
/// </summary>
/// <param name="Step">Steps done.</param>
/// <param name="Samples">Windows taken so far: with seed and text, the cursor of the data.</param>
/// <param name="Updates">Updates of the optimizer; fewer than the steps when some were skipped.</param>
/// <param name="ActiveSeconds">Time spent training: what a budget of minutes counts.</param>
/// <param name="RateFactor">Halved by each roll-back.</param>
/// <param name="Rollbacks">How often that was.</param>
/// <param name="Guard">What the spike guard remembers.</param>
/// <param name="Validation">Every validation loss so far.</param>
/// <param name="BestStep">The step of the lowest validation loss that has a checkpoint; 0: none.</param>
/// <param name="Stale">Validations since then.</param>
/// <param name="PlanHash">Of the request: a checkpoint of another one is refused.</param>
internal sealed record TrainingState(
    long Step,
    long Samples,
    long Updates,
    long Tokens,
    double ActiveSeconds,
    double RateFactor,
    int Rollbacks,
    SpikeMemory Guard,
    IReadOnlyList<ValidationRecord> Validation,
    long BestStep,
    int Stale,
    long Seed,
    int Threads,
    bool Narrow,
    string PlanHash,
    string Torch)
{
    /// <summary>SHA-256 of the other files, so that a damaged checkpoint is known as one.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    public double? ValidationLoss => Validation.Count == 0 ? null : Validation[^1].Loss;

    public double? BestLoss
    {
        get
        {
            foreach (var record in Validation)
            {
                if (record.Step == BestStep)
                {
                    return record.Loss;
                }
            }

            return null;
        }
    }
}

/// <summary>
/// Folders with f32 master weights and both moments by name, the state, and configuration and tokenizer, so that each is a
/// servable model too. A folder appears whole; <c>latest</c> names the newest. <c>step-N</c> were due at their step, and the two
/// newest and the best of them are kept; <c>spare-N</c> were written in between, for a pause, and go when the next one is due.
/// </summary>
/// <param name="companions">Writes the files that stand beside the weights.</param>
/// <param name="turn">Says whether this process may still write.</param>
internal sealed class Checkpoints(string folder, ModelCompanions companions, TrainerTurn turn, long bytes)
{
    private const int Kept = 2;
    private const string Due = "step-";
    private const string Spare = "spare-";
    private const string StateFile = "state.json";
    private const string WeightsFile = "model.safetensors";
    private const string MomentsFile = "optimizer.safetensors";

    /// <summary>The checkpoint to go on from: the newest that is whole; null when there is none.</summary>
    /// <param name="warn">Told of each that is not.</param>
    public (string Folder, TrainingState State)? FindWhole(Action<JobMessage> warn)
    {
        foreach (var candidate in All().OrderByDescending(StepOf))
        {
            if (Check(candidate) is { } state)
            {
                return (candidate, state);
            }

            warn(TrainingCodes.CheckpointDamaged.With(("checkpoint", Path.GetFileName(candidate))));
            DurableFolder.Delete(candidate);
        }

        return null;
    }

    /// <summary>The newest checkpoint that was due, to roll back to. One for a pause does not count: the training must not depend on pauses.</summary>
    public string? LatestDue() => All().Where(IsDue).MaxBy(StepOf);

    /// <summary>The folder of the checkpoint that was due at a step.</summary>
    public string At(long step) => Path.Combine(folder, Name(Due, step));

    /// <exception cref="Infrastructure.LlmOsException">The disk is full; the earlier checkpoints are still there.</exception>
    public string Write(FlatAdamW optimizer, TrainingState state, bool due)
    {
        turn.Check();
        Directory.CreateDirectory(folder);
        var name = Name(due ? Due : Spare, state.Step);
        var target = Path.Combine(folder, name);
        DurableFolder.Delete(target);
        DiskRoom.Write(folder, $"The checkpoint of step {state.Step}", bytes, () => DurableFolder.Write(target, unfinished => Fill(unfinished, optimizer, state)));
        FaultPoints.Reach("checkpoint.shown");
        DurableFolder.ReplaceText(Path.Combine(folder, "latest"), name);
        FaultPoints.Reach("checkpoint.latest_named");
        if (state.BestStep > 0)
        {
            DurableFolder.ReplaceText(Path.Combine(folder, "best"), Name(Due, state.BestStep));
        }

        DeleteOld(state.BestStep);
        FaultPoints.Reach("checkpoint.old_deleted");
        return target;
    }

    /// <summary>Puts weights, moments and the count of updates back.</summary>
    public static TrainingState Read(string checkpoint, FlatAdamW optimizer)
    {
        var state = ReadState(checkpoint) ?? throw new InvalidDataException($"The checkpoint '{Path.GetFileName(checkpoint)}' has no state.");
        using var weights = SafetensorsFile.Open(Path.Combine(checkpoint, WeightsFile));
        using var moments = SafetensorsFile.Open(Path.Combine(checkpoint, MomentsFile));
        foreach (var slot in optimizer.Slots)
        {
            weights.Read(slot.Name, 0, optimizer.Weights(slot));
            moments.Read($"m/{slot.Name}", 0, optimizer.First(slot));
            moments.Read($"v/{slot.Name}", 0, optimizer.Second(slot));
        }

        optimizer.Updates = state.Updates;
        optimizer.Publish();
        return state;
    }

    private void Fill(string unfinished, FlatAdamW optimizer, TrainingState state)
    {
        var weights = optimizer.Slots.Select(s => (s.Name, s.Shape)).ToList();
        HuggingFaceFolder.WriteTensors(Path.Combine(unfinished, WeightsFile), TensorType.F32, weights, writer =>
        {
            foreach (var slot in optimizer.Slots)
            {
                writer.Write(slot.Name, optimizer.Weights(slot));
            }
        });
        FaultPoints.Reach("checkpoint.weights_written");
        var moments = optimizer.Slots.SelectMany(s => new[] { ($"m/{s.Name}", s.Shape), ($"v/{s.Name}", s.Shape) }).ToList();
        HuggingFaceFolder.WriteTensors(Path.Combine(unfinished, MomentsFile), TensorType.F32, moments, writer =>
        {
            foreach (var slot in optimizer.Slots)
            {
                writer.Write($"m/{slot.Name}", optimizer.First(slot));
                writer.Write($"v/{slot.Name}", optimizer.Second(slot));
            }
        });
        FaultPoints.Reach("checkpoint.moments_written");
        companions.Write(unfinished, half: false);
        var files = Directory.GetFiles(unfinished).ToDictionary(f => Path.GetFileName(f), HashOf);
        File.WriteAllText(Path.Combine(unfinished, StateFile), JsonSerializer.Serialize(state with { Files = files }, LlmOsJson.Options));
        FaultPoints.Reach("checkpoint.state_written");
    }

    /// <summary>The state of a checkpoint whose files are what they were; null otherwise.</summary>
    private static TrainingState? Check(string checkpoint)
    {
        var state = ReadState(checkpoint);
        return state is not null && state.Files.Count > 0 && state.Files.All(f => File.Exists(Path.Combine(checkpoint, f.Key)) && HashOf(Path.Combine(checkpoint, f.Key)) == f.Value)
            ? state
            : null;
    }

    private static TrainingState? ReadState(string checkpoint)
    {
        var path = Path.Combine(checkpoint, StateFile);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<TrainingState>(File.ReadAllBytes(path), LlmOsJson.Options) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string HashOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private void DeleteOld(long bestStep)
    {
        var due = All().Where(IsDue).OrderByDescending(StepOf).ToList();
        var newest = due.Count == 0 ? 0 : StepOf(due[0]);
        var old = due.Skip(Kept).Where(d => StepOf(d) != bestStep).Concat(All().Where(d => !IsDue(d) && StepOf(d) <= newest));
        foreach (var checkpoint in old.ToList())
        {
            DurableFolder.Delete(checkpoint);
        }

        // Of spares the newest is enough.
        foreach (var checkpoint in All().Where(d => !IsDue(d)).OrderByDescending(StepOf).Skip(1).ToList())
        {
            DurableFolder.Delete(checkpoint);
        }
    }

    private IEnumerable<string> All() => Directory.Exists(folder)
        ? Directory.GetDirectories(folder).Where(d => StepOf(d) >= 0)
        : [];

    private static bool IsDue(string checkpoint) => Path.GetFileName(checkpoint).StartsWith(Due, StringComparison.Ordinal);

    /// <summary>The step in a checkpoint's name; -1 for other folders.</summary>
    private static long StepOf(string checkpoint)
    {
        var name = Path.GetFileName(checkpoint);
        var prefix = name.StartsWith(Due, StringComparison.Ordinal) ? Due : name.StartsWith(Spare, StringComparison.Ordinal) ? Spare : null;
        return prefix is not null && long.TryParse(name[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }

    private static string Name(string prefix, long step) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{step:d8}");
}
