using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Files;
using LlmOs.Trainer.Modules;
using LlmOs.Trainer.Objectives;
using LlmOs.Trainer.Optimisation;
using static TorchSharp.torch;

namespace LlmOs.Trainer.Run;

/// <summary>A training whose batches and rates are all written down, to be compared with the same training elsewhere.</summary>
internal sealed record ReplaySpec
{
    /// <summary>Folder with config.json and model.safetensors.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>Ids by step, window and position.</summary>
    public required IReadOnlyList<IReadOnlyList<long[]>> Tokens { get; init; }

    /// <summary>
    /// Ids to predict after each id of a window but the last, -100 where there is none; without, they are the window's own
    /// next ids.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<long[]>>? Targets { get; init; }

    /// <summary>The rate of each step.</summary>
    public required IReadOnlyList<double> LearningRates { get; init; }

    public required double Beta1 { get; init; }

    public required double Beta2 { get; init; }

    public required double Epsilon { get; init; }

    public required double WeightDecay { get; init; }

    public required double Clip { get; init; }

    /// <summary>Windows of one pass; a step is as many as it needs.</summary>
    public int? MicroWindows { get; init; }

    /// <summary>Steps after which the weights are written.</summary>
    public required IReadOnlyList<int> Snapshots { get; init; }

    /// <summary><c>f32</c> or <c>bf16</c>.</summary>
    public string Precision { get; init; } = "f32";

    public int Threads { get; init; } = 1;

    /// <summary>Gets <c>replay.json</c> (losses, norms), <c>gradient-0.safetensors</c> and <c>weights-N.safetensors</c>.</summary>
    public required string OutputFolder { get; init; }
}

/// <summary>Losses (nats per token) and gradient norms (before clipping) of a replay, by step.</summary>
/// <param name="Decayed">Weights that the decay applied to.</param>
internal sealed record ReplayResult(IReadOnlyList<double> Losses, IReadOnlyList<double> GradientNorms, IReadOnlyList<string> Decayed);

/// <summary>Runs the trainer's own step and optimizer over given batches: shows that another machine, or another library, gets the same numbers.</summary>
internal static class TrainingReplay
{
    public static ReplayResult Run(ReplaySpec spec)
    {
        Directory.CreateDirectory(spec.OutputFolder);
        set_num_threads(spec.Threads);
        var sizes = BaseModel.SizesOf(File.ReadAllBytes(Path.Combine(spec.ModelFolder, HuggingFaceFolder.ConfigFile)), "model_folder");
        using var module = TrainableModules.New(sizes);
        ModuleWeights.Load(module, sizes, spec.ModelFolder);

        var type = spec.Precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32;
        using var optimizer = new FlatAdamW(
            module, type, new AdamWOptions(spec.Beta1, spec.Beta2, spec.Epsilon, spec.WeightDecay), sizes.Decays, spec.Threads);
        var step = new TrainingStep(module, optimizer, new CausalLanguageModel());
        var losses = new List<double>();
        var norms = new List<double>();
        for (var s = 0; s < spec.Tokens.Count; s++)
        {
            losses.Add(Accumulate(step, spec.Tokens[s], spec.Targets?[s], spec.MicroWindows ?? spec.Tokens[s].Count));
            if (s == 0)
            {
                Write(spec, "gradient-0", optimizer, slot => optimizer.Gradient(slot));
            }

            norms.Add(optimizer.GradientNorm());
            optimizer.Step(spec.LearningRates[s], Clipping.Scale(norms[s], spec.Clip));
            if (spec.Snapshots.Contains(s + 1))
            {
                Write(spec, FormattableString.Invariant($"weights-{s + 1}"), optimizer, slot => optimizer.Weights(slot));
            }
        }

        var result = new ReplayResult(losses, norms, [.. optimizer.Slots.Where(slot => slot.Decays).Select(slot => slot.Name)]);
        File.WriteAllText(Path.Combine(spec.OutputFolder, "replay.json"), JsonSerializer.Serialize(result, LlmOsJson.Options));
        return result;
    }

    /// <summary>Each micro-batch counts by the targets it has: the loss is the mean over those of the whole batch.</summary>
    private static double Accumulate(TrainingStep step, IReadOnlyList<long[]> windows, IReadOnlyList<long[]>? targets, int microWindows)
    {
        var tokens = windows[0].Length - 1;
        if (targets is null)
        {
            return windows.Chunk(microWindows).Sum(part => step.Accumulate(new TokenBatch([.. part.SelectMany(w => w)], tokens), (long)windows.Count * tokens));
        }

        var all = targets.Sum(row => row.LongCount(id => id != TokenBatch.Ignored));
        return windows.Zip(targets).Chunk(microWindows).Sum(part => step.Accumulate(
            new TokenBatch([.. part.SelectMany(pair => pair.First)], tokens, [.. part.SelectMany(pair => pair.Second)]), all));
    }

    private static void Write(ReplaySpec spec, string name, FlatAdamW optimizer, Values values) =>
        HuggingFaceFolder.WriteTensors(
            Path.Combine(spec.OutputFolder, $"{name}.safetensors"),
            TensorType.F32,
            [.. optimizer.Slots.Select(s => (s.Name, s.Shape))],
            writer =>
            {
                foreach (var slot in optimizer.Slots)
                {
                    writer.Write(slot.Name, values(slot));
                }
            });

    private delegate ReadOnlySpan<float> Values(WeightSlot slot);
}
