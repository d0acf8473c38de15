using System.Text;
using System.Text.Json;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>Builds normalisers from their JSON.</summary>
internal static class NormalizerReader
{
    public static INormalizer? Read(JsonElement? element, string component) =>
        element is { } present ? Read(new Fields(present, component)) : null;

    private static INormalizer Read(Fields fields) => fields.Type switch
    {
        "Sequence" => new NormalizerSequence(Sequences.Checked(
            fields.Items("normalizers").Select((item, i) => Read(new Fields(item, $"{fields.Component}.normalizers[{i}]"))),
            part => part is NormalizerSequence sequence ? sequence.Size : 1,
            fields.Component)),
        "NFC" => new UnicodeNormalizer(NormalizationForm.FormC),
        "NFD" => new UnicodeNormalizer(NormalizationForm.FormD),
        "NFKC" => new UnicodeNormalizer(NormalizationForm.FormKC),
        "NFKD" => new UnicodeNormalizer(NormalizationForm.FormKD),
        "Lowercase" => new LowercaseNormalizer(),
        "StripAccents" => new StripAccentsNormalizer(),
        "Strip" => new StripNormalizer(fields.Flag("strip_left", true), fields.Flag("strip_right", true)),
        "Prepend" => new PrependNormalizer(fields.Brief("prepend")),
        "Replace" => new ReplaceNormalizer(TextPattern.Read(fields, "pattern"), fields.Brief("content")),
        "Nmt" => new NmtNormalizer(),
        "ByteLevel" => new ByteLevelNormalizer(),
        "Precompiled" => PrecompiledNormalizer.Read(fields.StringOrNull("precompiled_charsmap") ?? "", fields.Component),
        "BertNormalizer" => ReadBert(fields),
        var type => throw fields.Unsupported(type),
    };

    private static BertNormalizer ReadBert(Fields fields)
    {
        var lowercase = fields.Flag("lowercase", true);

        // Unless the file says otherwise, accents go when case goes.
        return new BertNormalizer(
            fields.Flag("clean_text", true), fields.Flag("handle_chinese_chars", true), fields.Flag("strip_accents", lowercase), lowercase);
    }
}
