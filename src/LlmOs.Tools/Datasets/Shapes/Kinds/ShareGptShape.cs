using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>sharegpt</c>: <c>conversations</c> with <c>from</c> and <c>value</c>; a column <c>system</c> becomes the first message.</summary>
internal sealed class ShareGptShape : ITrainingShape
{
    public string Word => "sharegpt";

    public IReadOnlyList<string> Kinds { get; } = ["sft"];

    public IReadOnlyList<string> Needs { get; } = ["conversations"];

    public RowSchema Target(RowSchema schema) => TrainingColumns.Chat(schema);

    public object?[] Convert(ShapeRow row) =>
        TrainingColumns.ChatValues(row, ChatTurns.Read(row.Json("conversations"), "conversations"), row.TextOrNull("system"), "conversations");
}
