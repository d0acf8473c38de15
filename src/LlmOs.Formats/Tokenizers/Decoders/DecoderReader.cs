using System.Text.Json;

namespace LlmOs.Formats.Tokenizers.Decoders;

/// <summary>Builds decoders from their JSON.</summary>
internal static class DecoderReader
{
    public static IDecoder Read(JsonElement? element, string component) =>
        element is { } present ? Read(new Fields(present, component)) : new SpaceJoinDecoder();

    private static IDecoder Read(Fields fields) => fields.Type switch
    {
        "Sequence" => new DecoderSequence(Sequences.Checked(
            fields.Items("decoders").Select((item, i) => Read(new Fields(item, $"{fields.Component}.decoders[{i}]"))),
            part => part is DecoderSequence sequence ? sequence.Size : 1,
            fields.Component)),
        "ByteLevel" => new ByteLevelDecoder(),
        "WordPiece" => new WordPieceDecoder(fields.StringOrNull("prefix") ?? "##", fields.Flag("cleanup", true)),
        "Metaspace" => new MetaspaceDecoder(
            fields.Character("replacement"),
            PreTokenizers.MetaspacePreTokenizer.ReadScheme(fields) != PreTokenizers.PrependScheme.Never),
        "BPEDecoder" => new BpeSuffixDecoder(fields.StringOrNull("suffix") ?? "</w>"),
        "CTC" => new CtcDecoder(
            fields.StringOrNull("pad_token") ?? "<pad>", fields.StringOrNull("word_delimiter_token") ?? "|", fields.Flag("cleanup", true)),
        "ByteFallback" => new ByteFallbackDecoder(),
        "Fuse" => new FuseDecoder(),
        "Strip" => new StripDecoder(fields.Character("content"), fields.Number("start"), fields.Number("stop")),
        "Replace" => new ReplaceDecoder(TextPattern.Read(fields, "pattern"), fields.Brief("content")),
        var type => throw fields.Unsupported(type),
    };
}
