using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LlmOs.Tools.Tokenizers;

/// <summary>Writes trained vocabularies as <c>tokenizer.json</c>, as Hugging Face's tokenizers library reads it.</summary>
internal static class TokenizerFile
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// How a unigram model sees text: a space becomes ▁ and begins a word, a line feed stands alone, and nothing else is changed,
    /// so that any text of the alphabet comes back from its ids.
    /// </summary>
    public static JsonObject UnigramSurroundings() => new()
    {
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["String"] = "\n" }, ["behavior"] = "Isolated", ["invert"] = false },
                Metaspace()),
        },
        ["decoder"] = Metaspace(),
    };

    /// <summary>How BERT sees text: words and punctuation, clean, in small letters if so wanted.</summary>
    public static JsonObject WordPieceSurroundings(bool lowercase) => new()
    {
        ["normalizer"] = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["strip_accents"] = null, ["lowercase"] = lowercase },
        ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
        ["decoder"] = new JsonObject { ["type"] = "WordPiece", ["prefix"] = WordPieceTrainer.Prefix, ["cleanup"] = true },
    };

    /// <param name="pieces">The unknown token first.</param>
    /// <param name="special">Further tokens; their ids follow those of the pieces, so that no text is ever taken for one.</param>
    public static void WriteUnigram(string path, IReadOnlyList<(string Piece, double Score)> pieces, IReadOnlyList<string> special)
    {
        var added = new JsonArray(Added(0, pieces[0].Piece));
        foreach (var (at, token) in special.Index())
        {
            added.Add(Added(pieces.Count + at, token));
        }

        Write(path, UnigramSurroundings(), added, postProcessor: null, new JsonObject
        {
            ["type"] = "Unigram",
            ["unk_id"] = 0,
            ["vocab"] = new JsonArray([.. pieces.Select(p => new JsonArray(p.Piece, p.Score))]),
            ["byte_fallback"] = false,
        });
    }

    /// <param name="tokens">In the order of their ids, special ones included.</param>
    public static void WriteWordPiece(string path, IReadOnlyList<string> tokens, TokenizerPlan plan)
    {
        var ids = tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
        var vocabulary = new JsonObject();
        foreach (var (id, token) in tokens.Index())
        {
            vocabulary[token] = id;
        }

        Write(path, WordPieceSurroundings(plan.Lowercase), new JsonArray([.. plan.SpecialTokens.Select(t => Added(ids[t], t))]), Frame(ids), new JsonObject
        {
            ["type"] = "WordPiece",
            ["unk_token"] = plan.Unknown,
            ["continuing_subword_prefix"] = WordPieceTrainer.Prefix,
            ["max_input_chars_per_word"] = 100,
            ["vocab"] = vocabulary,
        });
    }

    private static void Write(string path, JsonObject surroundings, JsonArray added, JsonObject? postProcessor, JsonObject model)
    {
        var file = new JsonObject { ["version"] = "1.0", ["truncation"] = null, ["padding"] = null, ["added_tokens"] = added };
        foreach (var (name, part) in surroundings)
        {
            file[name] = part?.DeepClone();
        }

        file["post_processor"] = postProcessor;
        file["model"] = model;
        File.WriteAllText(path, file.ToJsonString(Layout), new UTF8Encoding(false));
    }

    /// <summary>[CLS] before and [SEP] behind a text, as BERT has them; null where they are not among the tokens.</summary>
    private static JsonObject? Frame(Dictionary<string, int> ids)
    {
        const string Begin = "[CLS]", End = "[SEP]";
        if (!ids.ContainsKey(Begin) || !ids.ContainsKey(End))
        {
            return null;
        }

        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Special(Begin, 0), Sequence("A", 0), Special(End, 0)),
            ["pair"] = new JsonArray(Special(Begin, 0), Sequence("A", 0), Special(End, 0), Sequence("B", 1), Special(End, 1)),
            ["special_tokens"] = new JsonObject { [Begin] = Ids(Begin), [End] = Ids(End) },
        };

        JsonObject Ids(string token) => new() { ["id"] = token, ["ids"] = new JsonArray(ids[token]), ["tokens"] = new JsonArray(token) };
    }

    private static JsonObject Special(string token, int type) => new() { ["SpecialToken"] = new JsonObject { ["id"] = token, ["type_id"] = type } };

    private static JsonObject Sequence(string text, int type) => new() { ["Sequence"] = new JsonObject { ["id"] = text, ["type_id"] = type } };

    private static JsonObject Metaspace() => new() { ["type"] = "Metaspace", ["replacement"] = "▁", ["prepend_scheme"] = "never", ["split"] = true };

    private static JsonObject Added(int id, string token) => new()
    {
        ["id"] = id,
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}
