using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary>
/// <c>alpaca</c>: <c>instruction</c>, <c>input</c> (may be empty) and <c>output</c>. The question is the instruction, an empty line and
/// the input; a column <c>system</c> becomes the first message.
/// </summary>
internal sealed class AlpacaShape : ITrainingShape
{
    public string Word => "alpaca";

    public IReadOnlyList<string> Kinds { get; } = ["sft"];

    public IReadOnlyList<string> Needs { get; } = ["instruction", "output"];

    public RowSchema Target(RowSchema schema) => TrainingColumns.Chat(schema);

    public object?[] Convert(ShapeRow row)
    {
        var instruction = row.Text("instruction");
        var question = row.TextOrNull("input") is { } input ? $"{instruction}\n\n{input}" : instruction;
        return TrainingColumns.ChatValues(row, [new("user", question), new("assistant", row.Text("output"))], row.TextOrNull("system"), "messages");
    }
}
