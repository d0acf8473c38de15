using LlmOs.Benchmarks;
using LlmOs.Models.Zoo;

namespace LlmOs.TrainingBench;

/// <summary>Memory of a process that trains, over 2,000 steps: once the allocator has seen a few hundred of them, nothing may grow.</summary>
internal static class MemoryCurve
{
    /// <summary>The argument that asks for it.</summary>
    public const string Option = "--memory";

    private const int Steps = 2_000;
    private const int Every = 100;

    private static readonly TrainingShape Small =
        new("small", new LlamaSizes(Vocabulary: 512, Hidden: 64, Layers: 2, Heads: 4, KvHeads: 2, Intermediate: 176, Context: 64), Windows: 8, "f32");

    public static async Task RunAsync(int threads, CancellationToken cancel)
    {
        using var training = new TrainingRate(Small, threads);
        var megabytes = new List<double>();
        for (var step = 1; step <= Steps; step++)
        {
            training.TakeStep();
            if (step % Every == 0)
            {
                megabytes.Add(Environment.WorkingSet / (double)(1 << 20));
                Console.WriteLine(FormattableString.Invariant($"step {step}: {megabytes[^1]:F1} MB"));
            }
        }

        var report = new Report("train-memory", $"Resident memory of a training over {Steps} steps, taken every {Every}", "steps 1,600 to 2,000", "steps 800 to 1,200", "MB", moreIsBetter: false);
        report.Add($"{Small.Sizes.Parameters / 1e6:0.00}M weights, {Small.Precision}, {Small.Windows} x {Small.Sizes.Context} tokens", Between(1_600, 2_000), Between(800, 1_200));
        await report.SaveAsync(cancel);

        IEnumerable<double> Between(int first, int last) => megabytes.Skip((first / Every) - 1).Take(((last - first) / Every) + 1);
    }
}
