using System.Buffers;
using System.Text;
using System.Text.Json;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>Pairs of answers as OpenAI's fine-tuning takes them: <c>input</c> with <c>messages</c>, <c>preferred_output</c>, <c>non_preferred_output</c>.</summary>
internal static class Preferences
{
    public const string Input = "input";
    public const string Preferred = "preferred_output";
    public const string NonPreferred = "non_preferred_output";

    public static IReadOnlyList<string> Kinds { get; } = ["dpo", "orpo"];

    public static RowSchema Target { get; } = TrainingColumns.Of(TrainingColumns.Json(Input), TrainingColumns.Json(Preferred), TrainingColumns.Json(NonPreferred));

    /// <summary>Checks the answers, and gives the values of <see cref="Target"/>.</summary>
    /// <param name="input">What both answer, in the order that was checked.</param>
    /// <param name="fields">The names of the two answers, for refusals.</param>
    public static object?[] Values(List<ChatTurn> input, JsonElement? tools, List<ChatTurn> preferred, List<ChatTurn> other, (string Preferred, string Other) fields)
    {
        CheckAnswer(preferred, fields.Preferred);
        CheckAnswer(other, fields.Other);
        if (preferred[0].Says(other[0]))
        {
            throw new ShapeException(ShapeFaults.Equal, fields.Other, $"is the same as '{fields.Preferred}'; there is nothing to prefer.");
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = RowJson.Writer(buffer))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("messages");
            ChatTurns.Write(writer, input);
            if (tools is { } list)
            {
                writer.WritePropertyName("tools");
                list.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return [new RawJson(Encoding.UTF8.GetString(buffer.WrittenSpan)), ChatTurns.ToJson(preferred), ChatTurns.ToJson(other)];
    }

    private static void CheckAnswer(List<ChatTurn> answer, string field)
    {
        if (answer.Count != 1)
        {
            throw new ShapeException(ShapeFaults.WrongLength, field, $"has {answer.Count} messages; expected one, of the assistant.");
        }

        if (answer[0].Role != "assistant")
        {
            throw new ShapeException(ShapeFaults.BadOrder, $"{field}[0].{answer[0].RoleField}", $"'{answer[0].Role}' gives no answer; expected assistant.");
        }
    }
}
