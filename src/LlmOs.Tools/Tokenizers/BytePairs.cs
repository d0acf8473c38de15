using System.Text.Encodings.Web;
using System.Text.Json;

namespace LlmOs.Tools.Tokenizers;

/// <summary>A trained byte-level BPE: special tokens, then the 256 bytes, then one token a merge.</summary>
/// <param name="specialTokens">Ids from 0; the first ends a document.</param>
/// <param name="tokens">Bytes of the other tokens, in the order of their ids.</param>
/// <param name="merges">Pairs of indices into <paramref name="tokens"/>, earliest first.</param>
internal sealed class BytePairs(IReadOnlyList<string> specialTokens, IReadOnlyList<byte[]> tokens, IReadOnlyList<(int Left, int Right)> merges)
{
    public int VocabularySize => specialTokens.Count + tokens.Count;

    /// <summary>Merges as pairs of spellings.</summary>
    public IEnumerable<(string Left, string Right)> Merges => merges.Select(m => (ByteAlphabet.Spell(tokens[m.Left]), ByteAlphabet.Spell(tokens[m.Right])));

    /// <summary>Writes <c>tokenizer.json</c> as Hugging Face's tokenizers library reads it.</summary>
    public void Write(string path)
    {
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        WriteAddedTokens(json);
        json.WriteNull("normalizer");
        WriteByteLevel(json, "pre_tokenizer");
        json.WriteNull("post_processor");
        WriteByteLevel(json, "decoder");
        WriteModel(json);
        json.WriteEndObject();
    }

    private void WriteAddedTokens(Utf8JsonWriter json)
    {
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < specialTokens.Count; id++)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", specialTokens[id]);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string role)
    {
        json.WriteStartObject(role);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", false);
        json.WriteStartObject("vocab");
        var id = 0;
        foreach (var token in specialTokens.Concat(tokens.Select(t => ByteAlphabet.Spell(t))))
        {
            json.WriteNumber(token, id++);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in Merges)
        {
            json.WriteStringValue($"{left} {right}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
