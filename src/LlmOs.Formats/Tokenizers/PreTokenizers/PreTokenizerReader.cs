using System.Text;
using System.Text.Json;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>Builds pre-tokenizers from their JSON.</summary>
internal static class PreTokenizerReader
{
    public static IPreTokenizer? Read(JsonElement? element, string component) =>
        element is { } present ? Read(new Fields(present, component)) : null;

    private static IPreTokenizer Read(Fields fields) => fields.Type switch
    {
        "Sequence" => new PreTokenizerSequence(Sequences.Checked(
            fields.Items("pretokenizers").Select((item, i) => Read(new Fields(item, $"{fields.Component}.pretokenizers[{i}]"))),
            part => part is PreTokenizerSequence sequence ? sequence.Size : 1,
            fields.Component)),
        "ByteLevel" => new ByteLevelPreTokenizer(fields.Flag("add_prefix_space", true), fields.Flag("use_regex", true), spell: true),
        "Metaspace" => new MetaspacePreTokenizer(fields.Character("replacement"), MetaspacePreTokenizer.ReadScheme(fields), fields.Flag("split", true)),
        "Whitespace" => new WhitespacePreTokenizer(),
        "WhitespaceSplit" => new CharacterSplit(CharacterSplit.IsSpace, SplitBehavior.Removed),
        "BertPreTokenizer" => new BertPreTokenizer(),
        "CharDelimiterSplit" => ReadDelimiter(fields),
        "Punctuation" => new CharacterSplit(CharacterSplit.IsPunctuation, Splitter.Read(fields, "behavior", SplitBehavior.Isolated)),
        "Digits" => new CharacterSplit(
            CharacterSplit.IsNumeric,
            fields.Flag("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
        "Split" => PatternSplit.Read(fields),
        "UnicodeScripts" => new UnicodeScriptsSplit(),
        "FixedLength" => new FixedLengthSplit(Math.Max(1, fields.NumberOrNull("length") ?? 5)),
        var type => throw fields.Unsupported(type),
    };

    private static CharacterSplit ReadDelimiter(Fields fields)
    {
        var delimiter = Rune.GetRuneAt(fields.Character("delimiter"), 0).Value;
        return new CharacterSplit(scalar => scalar == delimiter, SplitBehavior.Removed);
    }
}
