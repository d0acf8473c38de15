using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>parallel_text</c>: <c>source</c> and <c>target</c>.</summary>
internal sealed class ParallelTextShape : ITrainingShape
{
    private static readonly RowSchema After = TrainingColumns.Of(TrainingColumns.Text("source"), TrainingColumns.Text("target"));

    public string Word => "parallel_text";

    public IReadOnlyList<string> Kinds { get; } = ["seq2seq"];

    public IReadOnlyList<string> Needs { get; } = ["source", "target"];

    public RowSchema Target(RowSchema schema) => After;

    public object?[] Convert(ShapeRow row) => [row.Text("source"), row.Text("target")];
}
