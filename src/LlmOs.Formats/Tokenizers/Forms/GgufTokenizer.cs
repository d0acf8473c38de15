using System.Text.Encodings.Web;
using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using Parts = LlmOs.Formats.Tokenizers.Forms.GgufTokenizerParts;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>
/// The tokenizer in a GGUF file's metadata, as the files in which models are published: <c>tokenizer.json</c> and
/// <c>tokenizer_config.json</c>. Whatever reads those can use the model, and one reader serves both forms.
/// </summary>
public static class GgufTokenizer
{
    private const string Template = "tokenizer.chat_template";
    private const string Space = "▁";

    private static readonly (string Role, string Key)[] Roles = [("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")];
    private static readonly string[] Flags = ["add_bos_token", "add_eos_token"];
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the metadata holds a vocabulary.</summary>
    public static bool IsIn(GgufMetadata metadata) =>
        metadata.Has(Parts.Prefix + "tokens") && metadata.Text(Parts.Prefix + "model") is not (null or "none" or "no_vocab");

    /// <summary>The published form of the tokenizer.</summary>
    /// <exception cref="TokenizerFormatException">It is of a kind that is not supported, or contradicts itself; the metadata at fault is named.</exception>
    public static byte[] ToJson(GgufMetadata metadata)
    {
        var vocabulary = GgufVocabulary.Read(metadata);
        return Write(json =>
        {
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAdded(json, vocabulary);
            switch (vocabulary.Model)
            {
                case "gpt2":
                    WriteByteLevel(json, metadata, vocabulary);
                    break;
                case "llama":
                    WriteSentencePiece(json, metadata, vocabulary);
                    break;
                case "bert":
                    WriteWordPiece(json, metadata, vocabulary);
                    break;
                case "t5":
                    WriteUnigram(json, metadata, vocabulary);
                    break;
                default:
                    throw new TokenizerFormatException($"{Parts.Prefix}model is \"{Vocabulary.Shown(vocabulary.Model)}\"; gpt2, llama, bert and t5 are supported.");
            }
        });
    }

    /// <summary>What stands beside the tokenizer: special words and the chat template, named ones as a list.</summary>
    public static byte[] ToConfigJson(GgufMetadata metadata)
    {
        var vocabulary = GgufVocabulary.Read(metadata);
        return Write(json =>
        {
            foreach (var (role, key) in Roles)
            {
                if (vocabulary.IdOf(metadata, key) is { } id)
                {
                    json.WriteString(role, vocabulary.Tokens[id]);
                }
            }

            foreach (var flag in Flags)
            {
                if (metadata.Flag(Parts.Prefix + flag) is { } value)
                {
                    json.WriteBoolean(flag, value);
                }
            }

            WriteTemplates(json, metadata);
        });
    }

    private static void WriteTemplates(Utf8JsonWriter json, GgufMetadata metadata)
    {
        var named = metadata.Values.Keys.Where(key => key.StartsWith(Template + ".", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        if (named.Count == 0)
        {
            if (metadata.Text(Template) is { } only)
            {
                json.WriteString("chat_template", only);
            }

            return;
        }

        json.WriteStartArray("chat_template");
        foreach (var (name, text) in named.Select(key => (key[(Template.Length + 1)..], metadata.Text(key))).Prepend(("default", metadata.Text(Template))))
        {
            if (text is not null)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("template", text);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    private static void WriteAdded(Utf8JsonWriter json, GgufVocabulary vocabulary)
    {
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
        {
            if (vocabulary.TypeOf(id) is not (PieceType.Control or PieceType.Unknown or PieceType.UserDefined) || vocabulary.Tokens[id].Length == 0)
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", vocabulary.Tokens[id]);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", vocabulary.TypeOf(id) != PieceType.UserDefined);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, GgufMetadata metadata, GgufVocabulary vocabulary)
    {
        var name = metadata.Text(Parts.Prefix + "pre") ?? "default";
        var pattern = GgufPatterns.Find(name) ?? throw new TokenizerFormatException(
            $"{Parts.Prefix}pre is \"{Vocabulary.Shown(name)}\", which is not supported; supported are {string.Join(", ", GgufPatterns.Names)}.");
        if (pattern.Composes)
        {
            Parts.WriteObject(json, "normalizer", ("type", "NFC"));
        }
        else
        {
            json.WriteNull("normalizer");
        }

        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (var source in pattern.Sources)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            Parts.WriteObject(json, "pattern", ("Regex", source));
            json.WriteString("behavior", "Isolated");
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }

        Parts.WriteObject(json, null, ("type", "ByteLevel"), ("add_prefix_space", metadata.Flag(Parts.Prefix + "add_space_prefix") ?? false), ("trim_offsets", true), ("use_regex", false));
        json.WriteEndArray();
        json.WriteEndObject();
        Parts.WriteFrame(json, metadata, vocabulary, pattern.BeginsTexts, ends: false);
        Parts.WriteObject(json, "decoder", ("type", "ByteLevel"), ("add_prefix_space", true), ("trim_offsets", true), ("use_regex", true));

        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", pattern.IgnoresMerges);
        Parts.WriteVocabulary(json, vocabulary, token => token);
        json.WriteStartArray("merges");
        foreach (var merge in metadata.Texts(Parts.Prefix + "merges") ?? throw new TokenizerFormatException($"{Parts.Prefix}merges is missing; a vocabulary of the model gpt2 has merges."))
        {
            json.WriteStringValue(merge);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSentencePiece(Utf8JsonWriter json, GgufMetadata metadata, GgufVocabulary vocabulary)
    {
        var prefix = metadata.Flag(Parts.Prefix + "add_space_prefix") ?? true;
        json.WriteStartObject("normalizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        if (prefix)
        {
            Parts.WriteObject(json, null, ("type", "Prepend"), ("prepend", Space));
        }

        Parts.WriteReplace(json, " ", Space);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNull("pre_tokenizer");
        Parts.WriteFrame(json, metadata, vocabulary, begins: true, ends: false);
        json.WriteStartObject("decoder");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("decoders");
        Parts.WriteReplace(json, Space, " ");
        Parts.WriteObject(json, null, ("type", "ByteFallback"));
        Parts.WriteObject(json, null, ("type", "Fuse"));
        if (prefix)
        {
            Parts.WriteObject(json, null, ("type", "Strip"), ("content", " "), ("start", 1), ("stop", 0));
        }

        json.WriteEndArray();
        json.WriteEndObject();

        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteString("unk_token", vocabulary.Tokens[Parts.Required(vocabulary, metadata, "unknown", 0)]);
        json.WriteBoolean("fuse_unk", true);
        json.WriteBoolean("byte_fallback", true);
        json.WriteBoolean("ignore_merges", false);
        Parts.WriteVocabulary(json, vocabulary, token => token);
        json.WriteStartArray("merges");
        foreach (var (left, right) in vocabulary.MergesByScore())
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteWordPiece(Utf8JsonWriter json, GgufMetadata metadata, GgufVocabulary vocabulary)
    {
        // The files do not say whether case counts; a vocabulary without capitals has no use for them.
        var cased = Enumerable.Range(0, vocabulary.Tokens.Count).Any(id =>
            vocabulary.TypeOf(id) == PieceType.Normal && !vocabulary.Tokens[id].StartsWith('[') && vocabulary.Tokens[id].Any(char.IsAsciiLetterUpper));
        json.WriteStartObject("normalizer");
        json.WriteString("type", "BertNormalizer");
        json.WriteBoolean("clean_text", true);
        json.WriteBoolean("handle_chinese_chars", true);
        json.WriteNull("strip_accents");
        json.WriteBoolean("lowercase", !cased);
        json.WriteEndObject();
        Parts.WriteObject(json, "pre_tokenizer", ("type", "BertPreTokenizer"));
        var (begin, end) = (Parts.Required(vocabulary, metadata, "cls", vocabulary.IdOf(metadata, "bos") ?? 101), Parts.Required(vocabulary, metadata, "seperator", vocabulary.IdOf(metadata, "eos") ?? 102));
        json.WriteStartObject("post_processor");
        json.WriteString("type", "BertProcessing");
        Parts.WritePair(json, "sep", vocabulary.Tokens[end], end);
        Parts.WritePair(json, "cls", vocabulary.Tokens[begin], begin);
        json.WriteEndObject();
        Parts.WriteObject(json, "decoder", ("type", "WordPiece"), ("prefix", "##"), ("cleanup", true));

        json.WriteStartObject("model");
        json.WriteString("type", "WordPiece");
        json.WriteString("unk_token", vocabulary.Tokens[Parts.Required(vocabulary, metadata, "unknown", 100)]);
        json.WriteString("continuing_subword_prefix", "##");
        json.WriteNumber("max_input_chars_per_word", 100);
        Parts.WriteVocabulary(json, vocabulary, Published);
        json.WriteEndObject();

        // The file marks the beginnings of words instead of the continuations.
        static string Published(string token) =>
            token.StartsWith('[') && token.EndsWith(']') ? token
            : token.StartsWith(Space, StringComparison.Ordinal) ? token[Space.Length..]
            : "##" + token;
    }

    private static void WriteUnigram(Utf8JsonWriter json, GgufMetadata metadata, GgufVocabulary vocabulary)
    {
        json.WriteStartObject("normalizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        if (metadata.Wholes(Parts.Prefix + "precompiled_charsmap") is { Count: > 0 } map)
        {
            json.WriteStartObject();
            json.WriteString("type", "Precompiled");
            json.WriteString("precompiled_charsmap", Convert.ToBase64String([.. map.Select(value => unchecked((byte)value))]));
            json.WriteEndObject();
        }

        if (metadata.Flag(Parts.Prefix + "remove_extra_whitespaces") ?? true)
        {
            json.WriteStartObject();
            json.WriteString("type", "Replace");
            Parts.WriteObject(json, "pattern", ("Regex", " {2,}"));
            json.WriteString("content", " ");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        var scheme = metadata.Flag(Parts.Prefix + "add_space_prefix") ?? true ? "always" : "never";
        Parts.WriteObject(json, "pre_tokenizer", ("type", "Metaspace"), ("replacement", Space), ("prepend_scheme", scheme), ("split", true));
        Parts.WriteFrame(json, metadata, vocabulary, begins: false, ends: true);
        Parts.WriteObject(json, "decoder", ("type", "Metaspace"), ("replacement", Space), ("prepend_scheme", scheme), ("split", true));

        json.WriteStartObject("model");
        json.WriteString("type", "Unigram");
        json.WriteNumber("unk_id", Parts.Required(vocabulary, metadata, "unknown", 2));
        json.WriteBoolean("byte_fallback", false);
        json.WriteStartArray("vocab");
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
        {
            json.WriteStartArray();
            json.WriteStringValue(vocabulary.Tokens[id]);
            json.WriteNumberValue(vocabulary.ScoreOf(id));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
