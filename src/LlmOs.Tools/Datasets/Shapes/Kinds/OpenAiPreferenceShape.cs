using System.Text.Json;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>openai_preference</c>: <c>input</c> with <c>messages</c> and perhaps <c>tools</c>, <c>preferred_output</c>, <c>non_preferred_output</c>.</summary>
internal sealed class OpenAiPreferenceShape : ITrainingShape
{
    public string Word => "openai_preference";

    public IReadOnlyList<string> Kinds => Preferences.Kinds;

    public IReadOnlyList<string> Needs { get; } = [Preferences.Input, Preferences.Preferred, Preferences.NonPreferred];

    public RowSchema Target(RowSchema schema) => Preferences.Target;

    public object?[] Convert(ShapeRow row)
    {
        const string Field = Preferences.Input + ".messages";
        var input = row.Json(Preferences.Input);
        if (input.ValueKind != JsonValueKind.Object)
        {
            throw new ShapeException(ShapeFaults.WrongType, Preferences.Input, "expected an object with 'messages'.");
        }

        if (!input.TryGetProperty("messages", out var messages) || messages.ValueKind == JsonValueKind.Null)
        {
            throw new ShapeException(ShapeFaults.Missing, Field, "is missing.");
        }

        var turns = ChatTurns.Read(messages, Field);
        ChatTurns.CheckOrder(turns, Field, endsWithAnswer: false);
        var hasTools = input.TryGetProperty("tools", out var tools) && tools.ValueKind != JsonValueKind.Null;
        if (hasTools && tools.ValueKind != JsonValueKind.Array)
        {
            throw new ShapeException(ShapeFaults.WrongType, Preferences.Input + ".tools", "expected a list.");
        }

        return Preferences.Values(
            turns,
            hasTools ? tools : null,
            ChatTurns.Read(row.Json(Preferences.Preferred), Preferences.Preferred),
            ChatTurns.Read(row.Json(Preferences.NonPreferred), Preferences.NonPreferred),
            (Preferences.Preferred, Preferences.NonPreferred));
    }
}
