using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>kto</c>: <c>prompt</c>, <c>completion</c>, and a <c>label</c> that says whether the completion is wanted.</summary>
internal sealed class KtoShape : ITrainingShape
{
    private static readonly RowSchema After = TrainingColumns.Of(TrainingColumns.Text("prompt"), TrainingColumns.Text("completion"), new RowColumn("label", ColumnType.Boolean));

    public string Word => "kto";

    public IReadOnlyList<string> Kinds { get; } = ["kto"];

    public IReadOnlyList<string> Needs { get; } = ["prompt", "completion", "label"];

    public RowSchema Target(RowSchema schema) => After;

    public object?[] Convert(ShapeRow row) => [row.Text("prompt"), row.Text("completion"), Label(row.Value("label"))];

    private static bool Label(object value) => value switch
    {
        bool label => label,
        1L => true,
        0L => false,
        string text when bool.TryParse(text, out var label) => label,
        "1" => true,
        "0" => false,
        _ => throw new ShapeException(ShapeFaults.WrongType, "label", "expected true or false."),
    };
}
