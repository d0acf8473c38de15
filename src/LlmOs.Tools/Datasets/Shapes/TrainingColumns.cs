using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>The columns that trainings read.</summary>
internal static class TrainingColumns
{
    private const string Tools = "tools";

    public static RowColumn Text(string name) => new(name, ColumnType.Text);

    public static RowColumn Json(string name) => new(name, ColumnType.Json);

    public static RowSchema Of(params IReadOnlyList<RowColumn> columns) => new(columns);

    /// <summary><c>messages</c>, and <c>tools</c> where the rows have them.</summary>
    public static RowSchema Chat(RowSchema schema) => schema.Find(Tools) >= 0 ? Of(Json("messages"), Json(Tools)) : Of(Json("messages"));

    /// <summary>A checked chat as the values of <see cref="Chat"/>.</summary>
    /// <param name="system">Stands before the messages; null: nothing does.</param>
    public static object?[] ChatValues(ShapeRow row, List<ChatTurn> turns, string? system, string field)
    {
        ChatTurns.CheckOrder(turns, field, endsWithAnswer: true);
        if (system is not null && turns[0].Role == "user")
        {
            turns.Insert(0, new ChatTurn("system", system));
        }

        var messages = ChatTurns.ToJson(turns);
        return row.Has(Tools) ? [messages, row.Find(Tools) is null ? null : RowJson.Raw(row.Json(Tools))] : [messages];
    }
}
