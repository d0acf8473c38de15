using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// Reads <c>tokenizer.json</c>, the format of Hugging Face tokenizers. Truncation and padding that a file asks for are
/// read but not done: encoding neither pads nor cuts.
/// </summary>
public static class TokenizerJson
{
    /// <summary>Larger files are refused; the largest of the published ones has 35 MB.</summary>
    public const int MaxBytes = 64 << 20;

    /// <exception cref="TokenizerFormatException">The file cannot be used; the message names the component.</exception>
    public static IOffsetTokenizer Load(string path)
    {
        using var stream = File.OpenRead(path);
        return Load(stream);
    }

    /// <exception cref="TokenizerFormatException">The file cannot be used; the message names the component.</exception>
    public static IOffsetTokenizer Load(Stream stream) => Read(TokenizerFiles.ReadAll(stream, MaxBytes, "tokenizer.json"));

    /// <exception cref="TokenizerFormatException">The file cannot be used; the message names the component.</exception>
    public static IOffsetTokenizer Parse(ReadOnlySpan<byte> json) => Read(json.ToArray());

    private static Tokenizer Read(ReadOnlyMemory<byte> json)
    {
        using var document = TokenizerFiles.ParseJson(json, "tokenizer.json");
        return Read(new Fields(document.RootElement, "tokenizer.json"));
    }

    private static Tokenizer Read(Fields file)
    {
        var model = ModelReader.Read(new Fields(file.Required("model"), "model"));
        var normalizer = NormalizerReader.Read(file.Find("normalizer"), "normalizer");
        var added = ReadAdded(file, model.Vocabulary);
        var highest = added.Count == 0 ? 0 : added.Max(token => token.Id);
        Vocabulary.CheckRange(highest, model.Vocabulary.Count + added.Count, "added_tokens");
        return new Tokenizer(new TokenizerParts
        {
            Model = model,
            Added = new AddedTokens(added, normalizer),
            Normalizer = normalizer,
            PreTokenizer = PreTokenizerReader.Read(file.Find("pre_tokenizer"), "pre_tokenizer"),
            PostProcessor = PostProcessorReader.Read(
                file.Find("post_processor"), "post_processor", Math.Max(model.Vocabulary.Size, highest + 1)),
            Decoder = DecoderReader.Read(file.Find("decoder"), "decoder"),
            Truncation = RuleReader.ReadTruncation(file.Find("truncation")),
            Padding = RuleReader.ReadPadding(file.Find("padding")),
        });
    }

    private static List<AddedToken> ReadAdded(Fields file, Vocabulary vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (file.Find("added_tokens") is null)
        {
            return tokens;
        }

        foreach (var (i, item) in file.Items("added_tokens").Index())
        {
            var fields = new Fields(item, $"added_tokens[{i}]");
            var (id, content, special) = (fields.Number("id"), fields.String("content"), fields.Flag("special", false));

            // A spelling that the model has keeps the model's id, as in the format's own library.
            id = vocabulary.Find(content) ?? id;
            if (vocabulary.SpellingOf(id) is { } other && other != content)
            {
                throw new TokenizerFormatException(
                    $"{fields.Component}: \"{Vocabulary.Shown(content)}\" has the id {id}, which is \"{Vocabulary.Shown(other)}\" in the model.");
            }

            tokens.Add(new AddedToken(
                id, content, fields.Flag("single_word", false), fields.Flag("lstrip", false), fields.Flag("rstrip", false),
                fields.Flag("normalized", !special), special));
        }

        return tokens;
    }
}
