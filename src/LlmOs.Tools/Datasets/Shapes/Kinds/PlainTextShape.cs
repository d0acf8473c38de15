using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>plain_text</c>: <c>text</c>.</summary>
internal sealed class PlainTextShape : ITrainingShape
{
    private static readonly RowSchema After = TrainingColumns.Of(TrainingColumns.Text("text"));

    public string Word => "plain_text";

    public IReadOnlyList<string> Kinds { get; } = ["pretrain", "masked_lm"];

    public IReadOnlyList<string> Needs { get; } = ["text"];

    public RowSchema Target(RowSchema schema) => After;

    public object?[] Convert(ShapeRow row) => [row.Text("text")];
}
