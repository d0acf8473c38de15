using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary>
/// <c>chosen_rejected</c>: <c>prompt</c>, <c>chosen</c> and <c>rejected</c>, each a text or a list of messages. Answers that begin
/// with the messages of the prompt are taken without them.
/// </summary>
internal sealed class ChosenRejectedShape : ITrainingShape
{
    public string Word => "chosen_rejected";

    public IReadOnlyList<string> Kinds => Preferences.Kinds;

    public IReadOnlyList<string> Needs { get; } = ["prompt", "chosen", "rejected"];

    public RowSchema Target(RowSchema schema) => Preferences.Target;

    public object?[] Convert(ShapeRow row)
    {
        var prompt = ChatTurns.Read(row, "prompt", "user");
        ChatTurns.CheckOrder(prompt, "prompt", endsWithAnswer: false);
        if (row.TextOrNull("system") is { } system && prompt[0].Role == "user")
        {
            prompt.Insert(0, new ChatTurn("system", system));
        }

        return Preferences.Values(prompt, null, Answer(row, "chosen", prompt), Answer(row, "rejected", prompt), ("chosen", "rejected"));
    }

    private static List<ChatTurn> Answer(ShapeRow row, string column, List<ChatTurn> prompt)
    {
        var turns = ChatTurns.Read(row, column, "assistant");
        return turns.Count > prompt.Count && prompt.Index().All(p => p.Item.Says(turns[p.Index])) ? turns[prompt.Count..] : turns;
    }
}
