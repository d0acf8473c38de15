using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>completion</c>: <c>prompt</c> and <c>completion</c>, each a text or a list of messages.</summary>
internal sealed class CompletionShape : ITrainingShape
{
    public string Word => "completion";

    public IReadOnlyList<string> Kinds { get; } = ["sft"];

    public IReadOnlyList<string> Needs { get; } = ["prompt", "completion"];

    public RowSchema Target(RowSchema schema) => TrainingColumns.Chat(schema);

    public object?[] Convert(ShapeRow row)
    {
        var prompt = ChatTurns.Read(row, "prompt", "user");
        ChatTurns.CheckOrder(prompt, "prompt", endsWithAnswer: false);
        var completion = ChatTurns.Read(row, "completion", "assistant");
        return TrainingColumns.ChatValues(row, [.. prompt, .. completion], row.TextOrNull("system"), "messages");
    }
}
