using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>Where a training stands, apart from its weights and moments.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Samples">Windows taken so far: with seed and text, the cursor of the data.</param>
/// <param name="Updates">Updates of the optimizer; fewer than the steps when some were skipped.</param>
/// <param name="ActiveSeconds">Time spent training: what a budget of minutes counts.</param>
/// <param name="RateFactor">Halved by each roll-back.</param>
/// <param name="PlanHash">Of the plan: a checkpoint of another one is refused.</param>
internal sealed record TrainingState(
    long Step,
    long Samples,
    long Updates,
    long Tokens,
    double ActiveSeconds,
    double RateFactor,
    long Seed,
    int Threads,
    string PlanHash,
    string Torch,
    double? ValidationLoss);

/// <summary>
/// Folders <c>step-N</c> with f32 master weights and both moments by name, the state, and config and tokenizer, so that each
/// is a servable model too. A folder appears whole; <c>latest</c> names the newest; the two newest are kept.
/// </summary>
internal sealed class Checkpoints(string folder, string tokenizerFolder, LlamaSizes sizes, int endToken)
{
    private const int Kept = 2;

    /// <summary>Path of the newest, or null.</summary>
    public string? Latest()
    {
        var pointer = Path.Combine(folder, "latest");
        if (!File.Exists(pointer))
        {
            return null;
        }

        var newest = Path.Combine(folder, File.ReadAllText(pointer).Trim());
        return Directory.Exists(newest) ? newest : null;
    }

    /// <summary>Makes room: what an earlier run left is of another training.</summary>
    public void DeleteAll()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
    }

    public string Write(FlatAdamW optimizer, TrainingState state)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"step-{state.Step:d8}");
        var target = Path.Combine(folder, name);
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        HuggingFaceFolder.WriteWhole(target, unfinished =>
        {
            var weights = optimizer.Slots.Select(s => (s.Name, s.Shape)).ToList();
            HuggingFaceFolder.WriteTensors(Path.Combine(unfinished, "model.safetensors"), TensorType.F32, weights, writer =>
            {
                foreach (var slot in optimizer.Slots)
                {
                    writer.Write(slot.Name, optimizer.Weights(slot));
                }
            });
            var moments = optimizer.Slots.SelectMany(s => new[] { ($"m/{s.Name}", s.Shape), ($"v/{s.Name}", s.Shape) }).ToList();
            HuggingFaceFolder.WriteTensors(Path.Combine(unfinished, "optimizer.safetensors"), TensorType.F32, moments, writer =>
            {
                foreach (var slot in optimizer.Slots)
                {
                    writer.Write($"m/{slot.Name}", optimizer.First(slot));
                    writer.Write($"v/{slot.Name}", optimizer.Second(slot));
                }
            });
            HuggingFaceFolder.WriteConfig(unfinished, sizes, endToken, half: false);
            HuggingFaceFolder.CopyTokenizer(tokenizerFolder, unfinished);
            File.WriteAllText(Path.Combine(unfinished, "state.json"), JsonSerializer.Serialize(state, LlmOsJson.Options));
        });
        HuggingFaceFolder.ReplaceText(Path.Combine(folder, "latest"), name);
        DeleteOld();
        return target;
    }

    /// <summary>Puts weights, moments and the count of updates back.</summary>
    public static TrainingState Read(string checkpoint, FlatAdamW optimizer)
    {
        var state = JsonSerializer.Deserialize<TrainingState>(File.ReadAllText(Path.Combine(checkpoint, "state.json")), LlmOsJson.Options)
            ?? throw new InvalidDataException("The checkpoint's state is null.");
        using var weights = SafetensorsFile.Open(Path.Combine(checkpoint, "model.safetensors"));
        using var moments = SafetensorsFile.Open(Path.Combine(checkpoint, "optimizer.safetensors"));
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

    private void DeleteOld()
    {
        foreach (var old in Directory.GetDirectories(folder, "step-*").Where(d => !d.EndsWith(".tmp", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal).Skip(Kept))
        {
            Directory.Delete(old, recursive: true);
        }
    }
}
