using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Tools.Training;

/// <summary>
/// No trained model is listed before the graph that serves it gives the trainer's logits on 32 prompts, position by position.
/// </summary>
internal static class ParityGate
{
    /// <summary>Largest difference of two logits, both computed in f32 from the stored weights.</summary>
    public const double Limit = 1e-3;

    /// <param name="served">The version as it would be served.</param>
    /// <param name="resultFolder">What the trainer left: prompts and logits.</param>
    /// <exception cref="LlmOsException">They differ by <see cref="Limit"/> or more.</exception>
    /// <returns>How near they are; and whether the engine goes on with texts as the trainer does, token by token.</returns>
    public static async Task<(ParityView Parity, ContinuationView Continued)> MeasureAsync(IProbeRun served, string resultFolder, CancellationToken cancel)
    {
        var prompts = ParityPrompts.ReadIds(resultFolder);
        using var recorded = SafetensorsFile.Open(Path.Combine(resultFolder, ParityPrompts.LogitsFile));

        var largest = 0.0;
        for (var i = 0; i < prompts.Count; i++)
        {
            var logits = await served.LogitsAsync(prompts[i], cancel);
            var trained = new float[logits.Length];
            recorded.Read(ParityPrompts.LogitsName(i), 0, trained);
            largest = Math.Max(largest, LargestDifference(logits, trained));
        }

        return largest < Limit
            ? (new ParityView(prompts.Count, largest, null), await ContinueAsync(served, ParityPrompts.ReadContinuations(resultFolder), cancel))
            : throw new LlmOsException(
                ErrorCode.ParityFailed,
                FormattableString.Invariant($"The trained model and the served graph disagree: their logits differ by up to {largest:g3} on {prompts.Count} prompts; allowed is less than {Limit:g1}."))
            {
                Hint = "The model was not listed. This is a fault of the platform: please report it with the job's spec.",
            };
    }

    /// <remarks>Not a gate: where two tokens are as likely as each other to the last bits, either may come first.</remarks>
    private static async Task<ContinuationView> ContinueAsync(IProbeRun served, IReadOnlyList<Continuation> continuations, CancellationToken cancel)
    {
        var equal = 0;
        foreach (var continuation in continuations)
        {
            var made = await served.ContinueAsync([.. continuation.Prompt], continuation.Tokens.Count, continuation.EndToken, cancel);
            equal += made.SequenceEqual(continuation.Tokens) ? 1 : 0;
        }

        return new ContinuationView(continuations.Count, equal);
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

/// <summary>Texts that trainer and engine went on with greedily, and how many of them came out the same.</summary>
internal sealed record ContinuationView(int Texts, int Equal);
