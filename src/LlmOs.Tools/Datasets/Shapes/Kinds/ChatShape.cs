using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>chat</c>: <c>messages</c> as OpenAI's fine-tuning takes them, and <c>tools</c> where there are any.</summary>
internal sealed class ChatShape : ITrainingShape
{
    public string Word => "chat";

    public IReadOnlyList<string> Kinds { get; } = ["sft"];

    public IReadOnlyList<string> Needs { get; } = ["messages"];

    public RowSchema Target(RowSchema schema) => TrainingColumns.Chat(schema);

    public object?[] Convert(ShapeRow row) => TrainingColumns.ChatValues(row, ChatTurns.Read(row.Json("messages"), "messages"), null, "messages");
}
