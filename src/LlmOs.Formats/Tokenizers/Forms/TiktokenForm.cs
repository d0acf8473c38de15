using System.Buffers.Text;
using System.Globalization;
using System.Text;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Decoders;
using LlmOs.Formats.Tokenizers.Models;
using LlmOs.Formats.Tokenizers.Normalizers;
using LlmOs.Formats.Tokenizers.PostProcessors;
using LlmOs.Formats.Tokenizers.PreTokenizers;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>
/// A tiktoken file: a line for each token, its bytes in base64 and its rank, which is the id. The file has neither the
/// pattern that cuts texts nor the special tokens; both follow from the encoding, which the number of ranks tells.
/// </summary>
internal static class TiktokenForm
{
    private const int MaxBytes = 64 << 20;
    private const int MaxRanks = 1 << 20;
    private const int MaxTokenBytes = 1024;

    private static readonly Encoding[] Encodings =
    [
        new("r50k_base", 50_256, WordPatterns.Gpt2Source, [(50_256, "<|endoftext|>")]),
        new("p50k_base", 50_280, WordPatterns.Gpt2Source, [(50_256, "<|endoftext|>")]),
        new("cl100k_base", 100_256, WordPatterns.Llama3Source, [(100_257, "<|endoftext|>"), (100_258, "<|fim_prefix|>"), (100_259, "<|fim_middle|>"), (100_260, "<|fim_suffix|>"), (100_276, "<|endofprompt|>")]),
        new("o200k_base", 199_998, WordPatterns.O200kSource, [(199_999, "<|endoftext|>"), (200_018, "<|endofprompt|>")]),
        new("Llama 3", 128_000, WordPatterns.Llama3Source, Llama3Specials()) { Begin = 128_000 },
        new("Qwen", 151_643, WordPatterns.Qwen2Source, QwenSpecials()) { Composes = true },
    ];

    private sealed record Encoding(string Name, int Ranks, string Pattern, IReadOnlyList<(int Id, string Content)> Specials)
    {
        /// <summary>The token that begins every text.</summary>
        public int? Begin { get; init; }

        /// <summary>Whether texts are brought to NFC first.</summary>
        public bool Composes { get; init; }
    }

    /// <summary>Whether a file begins as this form does.</summary>
    public static bool Begins(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        var line = end < 0 ? bytes : bytes[..end].TrimEnd((byte)'\r');
        var space = line.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(line[..space]) && int.TryParse(line[(space + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    public static Tokenizer Load(string path, string name)
    {
        var ranks = ReadRanks(TokenizerFiles.ReadBytes(path, MaxBytes, name), name);
        var encoding = Array.Find(Encodings, e => e.Ranks == ranks.Count) ?? throw new TokenizerFormatException(
            $"{name} is a tiktoken file of {ranks.Count} ranks, which is none of the encodings that are known ({string.Join(", ", Encodings.Select(e => $"{e.Name}: {e.Ranks}"))}): such a file does not say how texts are cut. A tokenizer.json does.");
        var vocabulary = Vocabulary.Of(ranks, name);
        var merged = Enumerable.Range(0, vocabulary.Size).Select(id => vocabulary.SpellingOf(id) is { Length: > 1 } ? id : -1).ToArray();
        INormalizer? normalizer = encoding.Composes ? new UnicodeNormalizer(NormalizationForm.FormC) : null;
        return new Tokenizer(new TokenizerParts
        {
            Model = BpeModel.OfRanks(vocabulary, merged, new BpeSettings { IgnoreMerges = true }),
            Added = new AddedTokens(encoding.Specials.Select(s => new AddedToken(s.Id, s.Content, false, false, false, Normalized: false, Special: true)), normalizer),
            Normalizer = normalizer,
            PreTokenizer = new PreTokenizerSequence([PatternSplit.Isolated(encoding.Pattern), new ByteLevelPreTokenizer(leadingSpace: false, split: false, spell: true)]),
            PostProcessor = PostProcessor.Around(encoding.Begin is { } begin ? [begin] : [], []),
            Decoder = new ByteLevelDecoder(),
        });
    }

    private static List<KeyValuePair<string, int>> ReadRanks(ReadOnlySpan<byte> bytes, string name)
    {
        var ranks = new List<KeyValuePair<string, int>>();
        Span<byte> token = stackalloc byte[MaxTokenBytes];
        Span<char> spelt = stackalloc char[MaxTokenBytes];
        for (var number = 1; bytes.Length > 0; number++)
        {
            var end = bytes.IndexOf((byte)'\n');
            var line = (end < 0 ? bytes : bytes[..end]).TrimEnd((byte)'\r');
            bytes = end < 0 ? [] : bytes[(end + 1)..];
            if (line.Length == 0)
            {
                continue;
            }

            var space = line.IndexOf((byte)' ');
            if (space <= 0 || Base64.DecodeFromUtf8(line[..space], token, out _, out var count) != System.Buffers.OperationStatus.Done
                || !int.TryParse(line[(space + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var rank) || ranks.Count == MaxRanks)
            {
                throw new TokenizerFormatException($"{name}: line {number} is not a token of at most {MaxTokenBytes} bytes in base64, a space and a rank.");
            }

            for (var i = 0; i < count; i++)
            {
                spelt[i] = ByteAlphabet.Of(token[i]);
            }

            ranks.Add(KeyValuePair.Create(new string(spelt[..count]), rank));
        }

        return ranks;
    }

    private static List<(int Id, string Content)> Llama3Specials()
    {
        var named = new Dictionary<int, string>
        {
            [0] = "<|begin_of_text|>",
            [1] = "<|end_of_text|>",
            [4] = "<|finetune_right_pad_id|>",
            [6] = "<|start_header_id|>",
            [7] = "<|end_header_id|>",
            [8] = "<|eom_id|>",
            [9] = "<|eot_id|>",
            [10] = "<|python_tag|>",
        };
        var reserved = 0;
        return [.. Enumerable.Range(0, 256).Select(i => (128_000 + i, named.TryGetValue(i, out var name) ? name : $"<|reserved_special_token_{reserved++}|>"))];
    }

    private static List<(int Id, string Content)> QwenSpecials() =>
    [
        (151_643, "<|endoftext|>"), (151_644, "<|im_start|>"), (151_645, "<|im_end|>"),
        .. Enumerable.Range(0, 205).Select(i => (151_646 + i, $"<|extra_{i}|>")),
    ];
}
