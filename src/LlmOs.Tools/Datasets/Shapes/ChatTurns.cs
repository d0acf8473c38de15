using System.Buffers;
using System.Text;
using System.Text.Json;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>A message of a chat.</summary>
/// <param name="Content">Null where it only calls tools.</param>
/// <param name="Source">What it was read from; null for one that was made of a plain text.</param>
internal sealed record ChatTurn(string Role, string? Content, JsonElement? Source = null)
{
    public bool CallsTools => Source is { } source && source.TryGetProperty("tool_calls", out var calls) && calls.ValueKind != JsonValueKind.Null;

    /// <summary>Where its role stands.</summary>
    public string RoleField => Source is { } source && !source.TryGetProperty("role", out _) ? "from" : "role";

    public bool Says(ChatTurn other) => Role == other.Role && Content == other.Content && !CallsTools && !other.CallsTools;
}

/// <summary>
/// The messages of a chat: read from <c>role</c> and <c>content</c> as OpenAI has them, or from ShareGPT's <c>from</c> and
/// <c>value</c>; checked; written as OpenAI has them.
/// </summary>
internal static class ChatTurns
{
    private static readonly string[] Kept = ["name", "tool_calls", "tool_call_id", "weight"];

    private static readonly Dictionary<string, string> Roles = new(StringComparer.Ordinal)
    {
        ["system"] = "system",
        ["developer"] = "developer",
        ["user"] = "user",
        ["human"] = "user",
        ["assistant"] = "assistant",
        ["gpt"] = "assistant",
        ["chatgpt"] = "assistant",
        ["bing"] = "assistant",
        ["bard"] = "assistant",
        ["model"] = "assistant",
        ["tool"] = "tool",
    };

    /// <param name="field">The list's name, for refusals.</param>
    public static List<ChatTurn> Read(JsonElement list, string field)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw new ShapeException(ShapeFaults.WrongType, field, "expected a list of messages.");
        }

        return list.GetArrayLength() > 0
            ? [.. list.EnumerateArray().Select((message, at) => ReadOne(message, $"{field}[{at}]"))]
            : throw new ShapeException(ShapeFaults.Empty, field, "has no messages.");
    }

    /// <summary>A column that holds a text or a list of messages.</summary>
    /// <param name="role">Of the message that a text becomes.</param>
    public static List<ChatTurn> Read(ShapeRow row, string column, string role) =>
        row.JsonOrNull(column) is { ValueKind: JsonValueKind.Array } list && (row.Find(column) is RawJson || LooksLikeMessages(list))
            ? Read(list, column)
            : [new(role, row.Text(column))];

    /// <summary>
    /// Refuses an order that templates do not write: a system message that is not the first, two questions or two answers in a row,
    /// a tool that nobody called.
    /// </summary>
    /// <param name="endsWithAnswer">The last message is what is learnt; else it is what is to be answered.</param>
    public static void CheckOrder(List<ChatTurn> turns, string field, bool endsWithAnswer)
    {
        ChatTurn? before = null;
        foreach (var (at, turn) in turns.Index())
        {
            string[] next = before switch
            {
                null => ["system", "developer", "user"],
                { Role: "system" or "developer" } => ["user"],
                { Role: "user" } => ["assistant"],
                { Role: "tool" } => ["tool", "assistant"],
                { CallsTools: true } => ["tool"],
                _ => ["user"],
            };
            if (!next.Contains(turn.Role, StringComparer.Ordinal))
            {
                throw new ShapeException(ShapeFaults.BadOrder, $"{field}[{at}].{turn.RoleField}", $"'{turn.Role}' cannot stand {(before is null ? "first" : $"behind '{before.Role}'")}; expected {string.Join(" or ", next)}.");
            }

            before = turn;
        }

        if ((before!.Role == "assistant") != endsWithAnswer || before.Role is "system" or "developer")
        {
            throw new ShapeException(
                ShapeFaults.BadOrder, $"{field}[{turns.Count - 1}].{before.RoleField}", $"the last message is of '{before.Role}'; expected {(endsWithAnswer ? "assistant" : "user or tool")}.");
        }
    }

    /// <summary>The messages as a value of a row.</summary>
    public static RawJson ToJson(IEnumerable<ChatTurn> turns)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = RowJson.Writer(buffer))
        {
            Write(writer, turns);
        }

        return new RawJson(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    public static void Write(Utf8JsonWriter writer, IEnumerable<ChatTurn> turns)
    {
        writer.WriteStartArray();
        foreach (var turn in turns)
        {
            writer.WriteStartObject();
            writer.WriteString("role", turn.Role);
            writer.WriteString("content", turn.Content);
            foreach (var name in Kept)
            {
                if (turn.Source is { } source && source.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                {
                    writer.WritePropertyName(name);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>A text may be a list of JSON that is an answer itself.</summary>
    private static bool LooksLikeMessages(JsonElement list) =>
        list.GetArrayLength() > 0 && list[0].ValueKind == JsonValueKind.Object && (list[0].TryGetProperty("role", out _) || list[0].TryGetProperty("from", out _));

    private static ChatTurn ReadOne(JsonElement message, string field)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw new ShapeException(ShapeFaults.WrongType, field, "expected an object with 'role' and 'content'.");
        }

        var isShareGpt = !message.TryGetProperty("role", out _) && message.TryGetProperty("from", out _);
        var (roleName, contentName) = isShareGpt ? ("from", "value") : ("role", "content");
        var word = RequireText(message, roleName, field);
        var role = Roles.GetValueOrDefault(word)
            ?? throw new ShapeException(ShapeFaults.UnknownRole, $"{field}.{roleName}", $"'{Shown.Of(word)}' is no role; expected one of {string.Join(", ", Roles.Keys)}.");
        CheckWeight(message, role, field);
        if (role == "tool" && !isShareGpt)
        {
            RequireText(message, "tool_call_id", field);
        }

        return new ChatTurn(role, ReadContent(message, contentName, field, mayLack: HasCalls(message, role, field)), message);
    }

    private static string? ReadContent(JsonElement message, string name, string field, bool mayLack)
    {
        if (!message.TryGetProperty(name, out var content) || content.ValueKind == JsonValueKind.Null)
        {
            return mayLack ? null : throw new ShapeException(ShapeFaults.Missing, $"{field}.{name}", "is missing.");
        }

        var text = content.ValueKind switch
        {
            JsonValueKind.String => content.GetString()!,
            JsonValueKind.Array => string.Concat(content.EnumerateArray().Select((part, at) => ReadPart(part, $"{field}.{name}[{at}]"))),
            _ => throw new ShapeException(ShapeFaults.WrongType, $"{field}.{name}", "expected a text, or a list of parts of the type 'text'."),
        };
        return mayLack || !string.IsNullOrWhiteSpace(text) ? text : throw new ShapeException(ShapeFaults.Empty, $"{field}.{name}", "is empty.");
    }

    private static string ReadPart(JsonElement part, string field) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text")
            ? RequireText(part, "text", field)
            : throw new ShapeException(ShapeFaults.WrongType, field, "expected a part such as {\"type\": \"text\", \"text\": \"...\"}; only texts are trained.");

    private static bool HasCalls(JsonElement message, string role, string field)
    {
        if (!message.TryGetProperty("tool_calls", out var calls) || calls.ValueKind == JsonValueKind.Null)
        {
            return false;
        }

        var path = $"{field}.tool_calls";
        if (role != "assistant" || calls.ValueKind != JsonValueKind.Array)
        {
            throw new ShapeException(ShapeFaults.WrongType, path, "expected a list, in messages of the assistant alone.");
        }

        if (calls.GetArrayLength() == 0)
        {
            throw new ShapeException(ShapeFaults.Empty, path, "has no calls.");
        }

        foreach (var (at, call) in calls.EnumerateArray().Index())
        {
            if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object)
            {
                throw new ShapeException(ShapeFaults.WrongType, $"{path}[{at}].function", "expected an object with 'name' and 'arguments'.");
            }

            RequireText(call, "id", $"{path}[{at}]");
            RequireText(function, "name", $"{path}[{at}].function");
            RequireText(function, "arguments", $"{path}[{at}].function");
        }

        return true;
    }

    private static void CheckWeight(JsonElement message, string role, string field)
    {
        if (message.TryGetProperty("weight", out var weight) && weight.ValueKind != JsonValueKind.Null
            && !(role == "assistant" && weight.ValueKind == JsonValueKind.Number && weight.TryGetInt32(out var number) && (number is 0 or 1)))
        {
            throw new ShapeException(ShapeFaults.WrongType, $"{field}.weight", "expected 0 or 1, in messages of the assistant alone.");
        }
    }

    private static string RequireText(JsonElement json, string name, string field)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            throw new ShapeException(ShapeFaults.Missing, $"{field}.{name}", "is missing.");
        }

        return value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new ShapeException(ShapeFaults.WrongType, $"{field}.{name}", "expected a text.");
    }
}
