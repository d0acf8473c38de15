using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Formats.Tokenizers.Forms;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Vocabularies of GGUF files, against llama.cpp's own vectors and the tokenizers that the models were published with.</summary>
public sealed class GgufTokenizerTests
{
    private static readonly string[] Texts =
        ["Hello, world!", "  two  spaces ", "12 345 Ⅷ ½ ٣", "naïve 中文 👍🏽", "<|im_start|>user\nHi<|im_end|>\n", "def f(x):\n\treturn x**2", "don't I'LL", "", " ", "\n\n", "<s>a</s>"];

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("phi-3")]
    [InlineData("bert-bge")]
    public void Vocabularies_give_the_ids_of_llama_cpp(string name)
    {
        var tokenizer = Load(SharedFolder.Require("models", "gguf-vocabs", $"ggml-vocab-{name}.gguf"));
        var texts = File.ReadAllText(SharedFolder.Require("models", "gguf-vocabs", $"ggml-vocab-{name}.gguf.inp")).Split("\n__ggml_vocab_test__\n");
        var rows = File.ReadAllLines(SharedFolder.Require("models", "gguf-vocabs", $"ggml-vocab-{name}.gguf.out"));

        var faults = new List<string>();
        for (var i = 0; i < rows.Length; i++)
        {
            var ids = string.Join(' ', tokenizer.Encode(texts[i], addSpecialTokens: false, parseSpecialTokens: false));
            if (ids != rows[i].Trim())
            {
                faults.Add($"'{GoldenFiles.Shown(texts[i])}': expected {rows[i]}, got {ids}");
            }
        }

        Assert.True(rows.Length >= 46, $"There are only {rows.Length} rows.");
        Assert.True(faults.Count == 0, $"{faults.Count} faults:\n{string.Join('\n', faults.Take(10))}");
    }

    [Fact]
    public void SmolLM2s_file_is_its_published_tokenizer()
    {
        var folder = SharedFolder.Require("models", "smollm2-135m-instruct");
        var gguf = Load(Path.Combine(folder, "SmolLM2-135M-Instruct.Q4_1.gguf"));
        var published = TokenizerJson.Load(Path.Combine(folder, "tokenizer.json"));

        foreach (var text in Texts.Concat(VectorTexts()))
        {
            var ids = published.Encode(text, addSpecialTokens: true, parseSpecialTokens: true);
            Assert.Equal(ids, gguf.Encode(text, addSpecialTokens: true, parseSpecialTokens: true));
            Assert.Equal(published.Decode(ids, skipSpecialTokens: true), gguf.Decode(ids, skipSpecialTokens: true));
            Assert.Equal(published.Decode(ids, skipSpecialTokens: false), gguf.Decode(ids, skipSpecialTokens: false));
        }

        Assert.Equal(published.VocabularySize, gguf.VocabularySize);
    }

    [Fact]
    public void Phi3s_vocabulary_is_its_published_tokenizer()
    {
        var gguf = Load(SharedFolder.Require("models", "gguf-vocabs", "ggml-vocab-phi-3.gguf"));
        var published = TokenizerJson.Load(SharedFolder.Require("models", "tokenizers", "phi3", "tokenizer.json"));

        // Without the added tokens, whose flags a GGUF file does not keep.
        foreach (var text in VectorTexts().Where(text => !text.Contains('<')))
        {
            Assert.Equal(published.Encode(text, false, false), gguf.Encode(text, false, false));
            Assert.Equal(published.Decode(published.Encode(text, false, false), true), gguf.Decode(published.Encode(text, false, false), true));
        }
    }

    [Fact]
    public void Stories260Ks_files_agree_whatever_their_form()
    {
        var folder = SharedFolder.Require("models", "stories260K");
        var gguf = Load(Directory.GetFiles(Path.Combine(folder, "gguf"), "*.gguf")[0]);
        var piece = TokenizerFolder.Load(new Dictionary<string, string> { ["tokenizer.model"] = Path.Combine(folder, "tok512.model") });

        foreach (var text in new[] { "Once upon a time, there was a little girl named Lily.", "She said: \"Hi!\"", "日本", "a" })
        {
            Assert.Equal(piece.Encode(text, true, false), gguf.Encode(text, true, false));
        }
    }

    [Fact]
    public void The_configuration_beside_it_has_the_words_and_the_template()
    {
        using var file = GgufFile.Open(SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));

        using var config = JsonDocument.Parse(GgufTokenizer.ToConfigJson(file.Metadata));
        var root = config.RootElement;

        Assert.Equal("<|im_start|>", root.GetProperty("bos_token").GetString());
        Assert.Equal("<|im_end|>", root.GetProperty("eos_token").GetString());
        Assert.Contains("<|im_start|>", root.GetProperty("chat_template").GetString(), StringComparison.Ordinal);
        Assert.True(GgufTokenizer.IsIn(file.Metadata));
    }

    [Theory]
    [InlineData("model", "rwkv", "rwkv")]
    [InlineData("pre", "made-up", "made-up")]
    public void What_is_not_supported_is_named(string key, string value, string named)
    {
        var metadata = new GgufMetadata("test.gguf", new Dictionary<string, GgufValue>
        {
            ["tokenizer.ggml.model"] = new GgufText("gpt2"),
            ["tokenizer.ggml.tokens"] = new GgufTexts(["a", "b"]),
            ["tokenizer.ggml.merges"] = new GgufTexts([]),
            [$"tokenizer.ggml.{key}"] = new GgufText(value),
        });

        Assert.Contains(named, Assert.Throws<TokenizerFormatException>(() => GgufTokenizer.ToJson(metadata)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_and_end_tokens_stand_where_the_flags_say()
    {
        var metadata = new GgufMetadata("test.gguf", new Dictionary<string, GgufValue>
        {
            ["tokenizer.ggml.model"] = new GgufText("llama"),
            ["tokenizer.ggml.tokens"] = new GgufTexts(["<unk>", "<s>", "</s>", "▁", "a", "▁a"]),
            ["tokenizer.ggml.scores"] = new GgufReals(GgufType.F32, [0, 0, 0, -3, -2, -1]),
            ["tokenizer.ggml.token_type"] = new GgufWholes(GgufType.I32, [2, 3, 3, 1, 1, 1]),
            ["tokenizer.ggml.bos_token_id"] = new GgufWhole(GgufType.U32, 1),
            ["tokenizer.ggml.eos_token_id"] = new GgufWhole(GgufType.U32, 2),
            ["tokenizer.ggml.add_eos_token"] = new GgufFlag(true),
        });

        var tokenizer = TokenizerJson.Parse(GgufTokenizer.ToJson(metadata));

        Assert.Equal([1, 5, 4, 2], tokenizer.Encode("aa", addSpecialTokens: true, parseSpecialTokens: false));
        Assert.Equal("aa", tokenizer.Decode([1, 5, 4, 2], skipSpecialTokens: true));
    }

    private static IOffsetTokenizer Load(string path) => TokenizerFolder.Load(new Dictionary<string, string> { ["tokenizer.gguf"] = path });

    private static List<string> VectorTexts() =>
        [.. File.ReadLines(SharedFolder.Require("vectors", "tokenizers", "gpt2.jsonl")).Select(line =>
        {
            using var row = JsonDocument.Parse(line);
            return row.RootElement.GetProperty("text").GetString()!;
        })];
}
