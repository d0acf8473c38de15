using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Engine.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>
/// No trained model is listed before the graph that serves it gives the trainer's logits on 32 prompts, position by position.
/// </summary>
internal static class ParityGate
{
    /// <summary>Largest difference of two logits, both computed in f32 from the stored weights.</summary>
    public const double Limit = 1e-3;

    /// <param name="graph">The graph that would be served.</param>
    /// <param name="resultFolder">What the trainer left: prompts and logits.</param>
    /// <exception cref="LlmOsException">They differ by <see cref="Limit"/> or more.</exception>
    public static async Task<ParityView> MeasureAsync(ServingGraph graph, string resultFolder, TimeProvider clock, CancellationToken cancel)
    {
        var prompts = ParityPrompts.ReadIds(resultFolder);
        using var recorded = SafetensorsFile.Open(Path.Combine(resultFolder, ParityPrompts.LogitsFile));
        var options = new EngineOptions { Slots = 1, MaxContext = Math.Max(16, graph.Shape.ContextLength) };
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, options, EngineDevice.Cpu, clock);

        var largest = 0.0;
        for (var i = 0; i < prompts.Count; i++)
        {
            var served = await engine.LogitsAsync(prompts[i], cancel);
            var trained = new float[served.Length];
            recorded.Read(ParityPrompts.LogitsName(i), 0, trained);
            largest = Math.Max(largest, LargestDifference(served, trained));
        }

        return largest < Limit
            ? new ParityView(prompts.Count, largest, null)
            : throw new LlmOsException(
                ErrorCode.ParityFailed,
                FormattableString.Invariant($"The trained model and the served graph disagree: their logits differ by up to {largest:g3} on {prompts.Count} prompts; allowed is less than {Limit:g1}."))
            {
                Hint = "The model was not listed. This is a fault of the platform: please report it with the job's spec.",
            };
    }

    /// <summary>The largest absolute difference; infinite where one of the two is no number.</summary>
    internal static double LargestDifference(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var largest = 0.0;
        for (var i = 0; i < one.Length; i++)
        {
            var difference = Math.Abs((double)one[i] - other[i]);
            largest = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(largest, difference);
        }

        return largest;
    }
}
