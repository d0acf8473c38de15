using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>
/// vocab.txt, vocab.json with merges.txt, and tiktoken files: written from published tokenizers whose rows the reference
/// library recorded, so that the same rows must come out of the older forms.
/// </summary>
public sealed class OlderFormTests
{
    [Fact]
    public void Berts_vocab_txt_gives_the_recorded_rows()
    {
        using var folder = new TempFolder();
        var model = Model("vectors", "tokenizers", "models", "bert-base-uncased", "tokenizer.json");
        File.WriteAllLines(folder.At("vocab.txt"), model["vocab"]!.AsObject().OrderBy(p => (int)p.Value!).Select(p => p.Key));

        AssertRows("bert-base-uncased", Load(folder, "vocab.txt"));
    }

    [Fact]
    public void A_published_vocab_txt_with_its_configuration_is_the_tokenizer_beside_it()
    {
        var folder = SharedFolder.Require("models", "all-minilm-l6-v2");
        string[] names = ["vocab.txt", "tokenizer_config.json", "special_tokens_map.json"];
        var older = TokenizerFolder.Load(names.ToDictionary(name => name, name => Path.Combine(folder, name)));
        var json = TokenizerJson.Load(Path.Combine(folder, "tokenizer.json"));

        foreach (var text in new[] { "Hello, World! Ünïcödé 中文", "[MASK] it", "don't 3.14" })
        {
            Assert.Equal(json.Encode(text, true, true), older.Encode(text, true, true));
        }

        Assert.Equal(json.VocabularySize, older.VocabularySize);
    }

    [Fact]
    public void Gpt2s_vocab_json_and_merges_txt_give_the_recorded_rows()
    {
        using var folder = new TempFolder();
        WritePairs(folder, Model("vectors", "tokenizers", "models", "gpt2", "tokenizer.json"));

        AssertRows("gpt2", Load(folder, "vocab.json", "merges.txt"));
    }

    [Fact]
    public void Qwens_vocab_json_and_merges_txt_with_its_configuration_give_the_recorded_rows()
    {
        using var folder = new TempFolder();
        WritePairs(folder, Model("models", "tokenizers", "qwen3", "tokenizer.json"));
        File.Copy(SharedFolder.Require("models", "tokenizers", "qwen3", "tokenizer_config.json"), folder.At("tokenizer_config.json"));

        AssertRows("qwen3", Load(folder, "vocab.json", "merges.txt", "tokenizer_config.json"));
    }

    [Fact]
    public void Robertas_files_frame_texts_as_the_class_does()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.At("vocab.json"), """{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"b":6,"Ġ":7,"Ġa":8,"ab":9}""");
        File.WriteAllText(folder.At("merges.txt"), "#version: 0.2\nĠ a\na b\n");
        File.WriteAllText(folder.At("tokenizer_config.json"), """{"tokenizer_class":"RobertaTokenizer","mask_token":{"content":"<mask>","lstrip":true}}""");

        var tokenizer = Load(folder, "vocab.json", "merges.txt", "tokenizer_config.json");

        Assert.Equal([0, 9, 8, 4, 2], tokenizer.Encode("ab a <mask>", addSpecialTokens: true, parseSpecialTokens: true));
        Assert.Equal([0, 5, 2, 2, 6, 2], tokenizer.EncodePair("a", "b", addSpecialTokens: true, parseSpecialTokens: true));
    }

    [Fact]
    public void A_tiktoken_file_gives_the_rows_of_GPT2()
    {
        using var folder = new TempFolder();
        WriteRanks(folder.At("r50k_base.tiktoken"), Model("vectors", "tokenizers", "models", "gpt2", "tokenizer.json"), below: 50_256);

        AssertRows("gpt2", Load(folder, "r50k_base.tiktoken"), special: false);
    }

    [Theory]
    [InlineData("gpt4o", 199_998, false)]
    [InlineData("llama3_1", 128_000, true)]
    public void Tiktoken_files_of_published_encodings_give_the_recorded_rows(string name, int ranks, bool special)
    {
        var modules = Environment.GetEnvironmentVariable("LLMOS_NODE_MODULES");
        Assert.SkipWhen(string.IsNullOrEmpty(modules), $"needs @lenml/tokenizer-{name} in the folder that LLMOS_NODE_MODULES names");
        using var folder = new TempFolder();
        var file = JsonNode.Parse(File.ReadAllBytes(Path.Combine(modules!, "@lenml", $"tokenizer-{name}", "models", "tokenizer.json")))!;
        WriteRanks(folder.At("tokenizer.model"), file["model"]!, ranks);

        AssertRows(name, Load(folder, "tokenizer.model"), special);
    }

    [Theory]
    [InlineData("tokenizer.json", "vectors", "tokenizers", "models", "gpt2", "tokenizer.json")]
    [InlineData("spiece.model", "vectors", "tokenizers", "models", "t5-like-unigram", "spiece.model")]
    [InlineData("vocab.txt", "models", "all-minilm-l6-v2", "vocab.txt")]
    [InlineData("tokenizer.gguf", "models", "gguf-vocabs", "ggml-vocab-gpt-2.gguf")]
    [InlineData(null, "models", "gguf-vocabs", "ggml-vocab-gpt-2.gguf.inp")]
    public void A_file_alone_is_known_by_its_content(string? name, params string[] path) =>
        Assert.Equal(name, TokenizerFolder.NameFor(SharedFolder.Require(path)));

    [Fact]
    public void Files_that_are_none_of_the_forms_are_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.At("vocab.txt"), "");
        File.WriteAllText(folder.At("vocab.json"), """{"a":0}""");
        File.WriteAllText(folder.At("merges.txt"), "");
        File.WriteAllText(folder.At("tokenizer.tiktoken"), "YQ== 0\nYg== 1\n");
        File.WriteAllText(folder.At("tokenizer.model"), "\nthis is not a model");

        Assert.Contains("vocab.txt is empty", Refusal("vocab.txt"), StringComparison.Ordinal);
        Assert.Contains("byte-level", Refusal("vocab.json", "merges.txt"), StringComparison.Ordinal);
        Assert.Contains("2 ranks", Refusal("tokenizer.tiktoken"), StringComparison.Ordinal);
        Assert.Contains("SentencePiece", Refusal("tokenizer.model"), StringComparison.Ordinal);
        Assert.Contains("no tokenizer", Refusal("merges.txt"), StringComparison.Ordinal);

        string Refusal(params string[] names) => Assert.Throws<TokenizerFormatException>(() => Load(folder, names)).Message;
    }

    private static JsonNode Model(params string[] path) => JsonNode.Parse(File.ReadAllBytes(SharedFolder.Require(path)))!["model"]!;

    private static IOffsetTokenizer Load(TempFolder folder, params string[] names) => TokenizerFolder.Load(names.ToDictionary(name => name, name => folder.At(name)));

    private static void WritePairs(TempFolder folder, JsonNode model)
    {
        File.WriteAllText(folder.At("vocab.json"), model["vocab"]!.ToJsonString());
        var merges = model["merges"]!.AsArray().Select(m => m is JsonArray pair ? $"{pair[0]} {pair[1]}" : m!.GetValue<string>());
        File.WriteAllText(folder.At("merges.txt"), "#version: 0.2\n" + string.Join('\n', merges) + "\n");
    }

    /// <summary>The vocabulary as ranks: byte-level spellings back to bytes.</summary>
    private static void WriteRanks(string path, JsonNode model, int below)
    {
        var bytes = new Dictionary<char, byte>();
        for (int value = 0, next = 256; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            bytes[(char)(printable ? value : next++)] = (byte)value;
        }

        using var writer = new StreamWriter(path, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        foreach (var (token, id) in model["vocab"]!.AsObject().Where(p => (int)p.Value! < below).OrderBy(p => (int)p.Value!))
        {
            writer.WriteLine($"{Convert.ToBase64String([.. token.Select(unit => bytes[unit])])} {(int)id!}");
        }
    }

    private static void AssertRows(string vectors, IOffsetTokenizer tokenizer, bool special = true)
    {
        var faults = new List<string>();
        foreach (var line in File.ReadLines(SharedFolder.Require("vectors", "tokenizers", vectors + ".jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var row = document.RootElement;
            var text = row.GetProperty("text").GetString()!;
            Check(text, row.Ids("ids"), tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true));
            if (special)
            {
                Check(text, row.Ids("ids_with_special"), tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true));
            }

            if (row.GetProperty("decoded").GetString() != tokenizer.Decode(row.Ids("ids"), skipSpecialTokens: false))
            {
                faults.Add($"decoded '{GoldenFiles.Shown(text)}'");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} faults:\n{string.Join('\n', faults.Take(20))}");

        void Check(string text, int[] expected, int[] actual)
        {
            if (!expected.AsSpan().SequenceEqual(actual))
            {
                faults.Add($"'{GoldenFiles.Shown(text)}': expected {string.Join(' ', expected.Take(30))}, got {string.Join(' ', actual.Take(30))}");
            }
        }
    }
}
