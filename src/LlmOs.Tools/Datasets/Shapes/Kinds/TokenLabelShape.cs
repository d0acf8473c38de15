using System.Text.Json;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary>
/// <c>token_labels</c>: <c>tokens</c> and <c>ner_tags</c>, lists of one length, or texts with blanks between. A file of CoNLL's columns
/// is imported as such rows. Tags are texts or whole numbers.
/// </summary>
internal sealed class TokenLabelShape : ITrainingShape
{
    private static readonly RowSchema After = TrainingColumns.Of(TrainingColumns.Json("tokens"), TrainingColumns.Json("ner_tags"));

    public string Word => "token_labels";

    public IReadOnlyList<string> Kinds { get; } = ["tag"];

    public IReadOnlyList<string> Needs { get; } = ["tokens", "ner_tags"];

    public RowSchema Target(RowSchema schema) => After;

    public object?[] Convert(ShapeRow row)
    {
        var (tokens, tags) = (List(row, "tokens"), List(row, "ner_tags"));
        RequireAll(tokens, "tokens", item => item.ValueKind == JsonValueKind.String && item.GetString()!.Length > 0, "a text");
        var areNumbers = tags.GetArrayLength() > 0 && tags[0].ValueKind == JsonValueKind.Number;
        RequireAll(
            tags,
            "ner_tags",
            item => areNumbers ? item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= 0 : item.ValueKind == JsonValueKind.String && item.GetString()!.Length > 0,
            areNumbers ? "a whole number, as the first is" : "a text");
        return tags.GetArrayLength() == tokens.GetArrayLength()
            ? [RowJson.Raw(tokens), RowJson.Raw(tags)]
            : throw new ShapeException(ShapeFaults.WrongLength, "ner_tags", $"has {tags.GetArrayLength()} tags for {tokens.GetArrayLength()} tokens.");
    }

    private static JsonElement List(ShapeRow row, string name)
    {
        var list = row.JsonOrNull(name) is { ValueKind: JsonValueKind.Array } given ? given
            : row.Find(name) is string text && text.StartsWith("['", StringComparison.Ordinal) ? throw new ShapeException(ShapeFaults.WrongType, name, "is a list as Python prints it; expected JSON.")
            : JsonSerializer.SerializeToElement(row.Text(name).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return list.GetArrayLength() > 0 ? list : throw new ShapeException(ShapeFaults.Empty, name, "is empty.");
    }

    private static void RequireAll(JsonElement list, string name, Func<JsonElement, bool> fits, string expected)
    {
        foreach (var (at, item) in list.EnumerateArray().Index())
        {
            if (!fits(item))
            {
                throw new ShapeException(ShapeFaults.WrongType, $"{name}[{at}]", $"expected {expected}.");
            }
        }
    }
}
