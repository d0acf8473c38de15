using System.Text.Json;

namespace LlmOs.Models.Tests.Tasks;

/// <summary>A <c>tokenizer.json</c> of each family whose tokens are single letters, so that a test sees which one it means.</summary>
internal static class SmallTokenizers
{
    /// <summary>BERT's: each ideogram a word, <c>##</c> within words.</summary>
    public static string WordPiece { get; } = Json(
        normalizer: new { type = "BertNormalizer", clean_text = true, handle_chinese_chars = true, strip_accents = (bool?)null, lowercase = true },
        preTokenizer: new { type = "BertPreTokenizer" },
        decoder: new { type = "WordPiece", prefix = "##", cleanup = true },
        model: new { type = "WordPiece", unk_token = "[UNK]", continuing_subword_prefix = "##", max_input_chars_per_word = 100, vocab = Ids(["[UNK]", "[CLS]", "[SEP]", .. Letters, .. Letters.Select(l => "##" + l), .. "中国的首都是北京市。，！？".Select(c => c.ToString())]) },
        special: ("[CLS]", "[SEP]"));

    /// <summary>RoBERTa's: bytes, a blank belongs to the word behind it.</summary>
    public static string ByteLevel { get; } = Json(
        normalizer: null,
        preTokenizer: new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
        decoder: new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
        model: new { type = "BPE", vocab = Ids(["<unk>", "<s>", "</s>", "Ġ", .. Letters, .. "0123456789".Select(c => c.ToString()), "ð", "Ł", "Ļ", "Ĥ", "Ġs", "Ġst"]), merges = new[] { "Ġ s", "Ġs t" }, unk_token = (string?)null },
        special: ("<s>", "</s>"));

    /// <summary>XLM-R's: words are what stands between blanks.</summary>
    public static string Metaspace { get; } = Json(
        normalizer: null,
        preTokenizer: new { type = "Sequence", pretokenizers = new object[] { new { type = "WhitespaceSplit" }, new { type = "Metaspace", replacement = "▁", prepend_scheme = "always", split = true } } },
        decoder: new { type = "Metaspace", replacement = "▁", prepend_scheme = "always", split = true },
        model: new { type = "Unigram", unk_id = 2, byte_fallback = false, vocab = new[] { "<s>", "</s>", "<unk>", "▁" }.Concat(Letters).Append(",").Select(piece => new object[] { piece, -1.0 }) },
        special: ("<s>", "</s>"));

    private static IEnumerable<string> Letters => "abcdefghijklmnopqrstuvwxyz".Select(c => c.ToString());

    private static Dictionary<string, int> Ids(IEnumerable<string> tokens) => tokens.Index().ToDictionary(t => t.Item, t => t.Index);

    private static string Json(object? normalizer, object preTokenizer, object decoder, object model, (string Begin, string End) special)
    {
        var file = JsonSerializer.SerializeToElement(model);
        var vocabulary = file.GetProperty("vocab");
        int IdOf(string token) => vocabulary.ValueKind == JsonValueKind.Object
            ? vocabulary.GetProperty(token).GetInt32()
            : vocabulary.EnumerateArray().Index().First(piece => piece.Item[0].GetString() == token).Index;
        var (begin, end) = (IdOf(special.Begin), IdOf(special.End));
        return JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = new[] { (begin, special.Begin), (end, special.End) }.Select(t => new { id = t.Item1, content = t.Item2, special = true, single_word = false, lstrip = false, rstrip = false, normalized = false }),
            normalizer,
            pre_tokenizer = preTokenizer,
            post_processor = new { type = "RobertaProcessing", cls = new object[] { special.Begin, begin }, sep = new object[] { special.End, end }, trim_offsets = true, add_prefix_space = false },
            decoder,
            model,
        });
    }
}
