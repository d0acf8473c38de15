using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LlmOs.Tools.Tokenizers;

/// <summary>A trained byte-level BPE: special tokens, then the 256 bytes, then one token a merge.</summary>
/// <param name="specialTokens">Ids from 0; the first ends a document.</param>
/// <param name="tokens">Bytes of the other tokens, in the order of their ids.</param>
/// <param name="merges">Pairs of indices into <paramref name="tokens"/>, earliest first.</param>
internal sealed class BytePairs(IReadOnlyList<string> specialTokens, IReadOnlyList<byte[]> tokens, IReadOnlyList<(int Left, int Right)> merges)
{
    /// <summary>Words whose ids are remembered while encoding.</summary>
    private const int Remembered = 200_000;

    private readonly Dictionary<(int, int), int> _ranks = merges.Select((pair, rank) => (pair, rank)).ToDictionary(x => x.pair, x => x.rank);
    private readonly Dictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly int[] _idOfByte = [.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Order.ToList().IndexOf((byte)b))];

    public int VocabularySize => specialTokens.Count + tokens.Count;

    /// <summary>Merges as pairs of spellings.</summary>
    public IEnumerable<(string Left, string Right)> Merges => merges.Select(m => (ByteAlphabet.Spell(tokens[m.Left]), ByteAlphabet.Spell(tokens[m.Right])));

    /// <summary>Appends the ids of a text without special tokens. Not safe on several threads: it remembers words.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        var lookup = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        while (text.Length > 0)
        {
            var word = text[..WordSplitter.NextLength(text)];
            if (!lookup.TryGetValue(word, out var known))
            {
                known = EncodeWord(word);
                if (_words.Count < Remembered)
                {
                    lookup[word] = known;
                }
            }

            ids.AddRange(known);
            text = text[word.Length..];
        }
    }

    /// <summary>The text of ids; special tokens give none.</summary>
    public string Decode(IEnumerable<int> ids) =>
        Encoding.UTF8.GetString([.. ids.Where(id => id >= specialTokens.Count).SelectMany(id => tokens[id - specialTokens.Count])]);

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

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        var symbols = new List<int>(word.Length);
        foreach (var b in bytes.AsSpan(0, Encoding.UTF8.GetBytes(word, bytes)))
        {
            symbols.Add(_idOfByte[b]);
        }

        while (true)
        {
            var (at, best) = (-1, int.MaxValue);
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                if (_ranks.TryGetValue((symbols[i], symbols[i + 1]), out var rank) && rank < best)
                {
                    (at, best) = (i, rank);
                }
            }

            if (at < 0)
            {
                break;
            }

            symbols[at] = 256 + best;
            symbols.RemoveAt(at + 1);
        }

        foreach (ref var symbol in CollectionsMarshal.AsSpan(symbols))
        {
            symbol += specialTokens.Count;
        }

        return [.. symbols];
    }
}
