using LlmOs.Contracts;

namespace LlmOs.Web.Controls;

/// <summary>What a model wrote at one step of its training.</summary>
internal sealed record TrainingSample(double Step, string Text)
{
    private const string Code = "sample";

    /// <returns>Null for a line that tells of anything else.</returns>
    public static TrainingSample? Of(JobLogView line) =>
        line is { Code: Code, Arguments: { } named } && LossHistory.Number(named, "step") is { } step
            ? new TrainingSample(step, LossHistory.Text(named, "prompt") + LossHistory.Text(named, "text"))
            : null;
}
