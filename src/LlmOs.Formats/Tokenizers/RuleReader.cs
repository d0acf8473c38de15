using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Reads the sections <c>truncation</c> and <c>padding</c>.</summary>
internal static class RuleReader
{
    public static TruncationRule? ReadTruncation(JsonElement? element)
    {
        if (element is not { } present)
        {
            return null;
        }

        var fields = new Fields(present, "truncation");
        var strategy = fields.StringOrNull("strategy") ?? "LongestFirst";
        return strategy is "LongestFirst" or "OnlyFirst" or "OnlySecond"
            ? new TruncationRule(fields.Number("max_length"), fields.NumberOrNull("stride") ?? 0, strategy, IsLeft(fields))
            : throw new TokenizerFormatException($"truncation.strategy is \"{Vocabulary.Shown(strategy)}\"; LongestFirst, OnlyFirst or OnlySecond was expected.");
    }

    public static PaddingRule? ReadPadding(JsonElement? element)
    {
        if (element is not { } present)
        {
            return null;
        }

        var fields = new Fields(present, "padding");
        int? length = fields.Required("strategy") switch
        {
            { ValueKind: JsonValueKind.String } word when word.ValueEquals("BatchLongest") => null,
            { ValueKind: JsonValueKind.Object } => fields.Child("strategy").Number("Fixed"),
            var other => throw fields.Wrong("strategy", other, "\"BatchLongest\" or {\"Fixed\": number}"),
        };
        return new PaddingRule(
            length, fields.NumberOrNull("pad_to_multiple_of"), fields.NumberOrNull("pad_id") ?? 0, fields.NumberOrNull("pad_type_id") ?? 0,
            fields.StringOrNull("pad_token") ?? "[PAD]", IsLeft(fields));
    }

    private static bool IsLeft(Fields fields) => (fields.StringOrNull("direction") ?? "Right") switch
    {
        "Left" => true,
        "Right" => false,
        var word => throw new TokenizerFormatException($"{fields.Component}.direction is \"{Vocabulary.Shown(word)}\"; Left or Right was expected."),
    };
}
