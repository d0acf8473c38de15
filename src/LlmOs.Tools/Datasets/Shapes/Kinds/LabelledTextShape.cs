using System.Globalization;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>labelled_text</c>: <c>text</c>, and <c>label</c>: a text, a whole number, or true or false.</summary>
internal sealed class LabelledTextShape : ITrainingShape
{
    public string Word => "labelled_text";

    public IReadOnlyList<string> Kinds { get; } = ["classify"];

    public IReadOnlyList<string> Needs { get; } = ["text", "label"];

    /// <returns>Labels keep their type where a column holds one type of them; else they are texts.</returns>
    public RowSchema Target(RowSchema schema) => TrainingColumns.Of(TrainingColumns.Text("text"), new RowColumn("label", Type(schema) ?? ColumnType.Text));

    public object?[] Convert(ShapeRow row) => [row.Text("text"), Label(row)];

    private static ColumnType? Type(RowSchema schema) => schema.Columns[schema.Find("label")].Type is (ColumnType.Integer or ColumnType.Boolean) and var type ? type : null;

    private static object Label(ShapeRow row) => row.Value("label") switch
    {
        long or bool => row.Value("label"),
        RawJson json when long.TryParse(json.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) || json.Text is "true" or "false" => json.Text,
        double => throw new ShapeException(ShapeFaults.WrongType, "label", "expected a text or a whole number."),
        _ => row.Text("label"),
    };
}
