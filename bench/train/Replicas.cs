using System.Diagnostics;
using System.Globalization;
using LlmOs.Benchmarks;
using LlmOs.Tools.Training.Child;

namespace LlmOs.TrainingBench;

/// <summary>
/// Two processes of one thread each against one process of two threads: what replicas on one machine could gain if they exchanged
/// their gradients for nothing.
/// </summary>
internal static class Replicas
{
    /// <summary>In a child: measures one shape with so many threads and prints tokens/s.</summary>
    public const string Rate = "--rate";

    private const int Rounds = 3;

    public static async Task RunAsync(IReadOnlyList<TrainingShape> shapes, CancellationToken cancel)
    {
        var report = new Report("train-replicas", "Two replicas of one thread against one process of two, without an exchange of gradients", "2 x 1 thread", "1 x 2 threads", "tokens/s", moreIsBetter: true);
        foreach (var shape in shapes)
        {
            List<double> two = [], one = [];
            for (var round = 0; round < Rounds; round++)
            {
                two.Add((await Task.WhenAll(MeasureAsync(shape, 1, cancel), MeasureAsync(shape, 1, cancel))).Sum());
                one.Add(await MeasureAsync(shape, 2, cancel));
            }

            report.Add($"{shape.Name}: {shape.Sizes.Parameters / 1e6:0.0}M weights, {shape.Precision}", two, one);
        }

        await report.SaveAsync(cancel);
    }

    private static async Task<double> MeasureAsync(TrainingShape shape, int threads, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Rate, shape.Name, threads.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true };
        TrainerProcess.SetEnvironment(start.Environment, threads);
        using var child = Process.Start(start) ?? throw new InvalidOperationException("The measuring process did not start.");
        var text = await child.StandardOutput.ReadToEndAsync(cancel);
        await child.WaitForExitAsync(cancel);
        return double.Parse(text, CultureInfo.InvariantCulture);
    }
}
