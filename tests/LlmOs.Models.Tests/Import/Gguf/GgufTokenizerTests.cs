using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Formats.Tokenizers.Forms;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.Gguf;

/// <summary>Vocabularies of GGUF files against the ids that llama.cpp gives.</summary>
public sealed class GgufTokenizerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("phi-3")]
    public void Texts_get_the_ids_that_the_files_maker_gives_them(string vocabulary)
    {
        var path = SharedFolder.Require("models", "gguf-vocabs", $"ggml-vocab-{vocabulary}.gguf");
        using var gguf = GgufFile.Open(path);
        var tokenizer = TokenizerJson.Parse(GgufTokenizer.ToJson(gguf.Metadata));

        var texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n")[..^1]; // the mark ends each text
        var ids = File.ReadAllLines(path + ".out");
        Assert.Equal(texts.Length, ids.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            var expected = ids[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
            Assert.Equal(expected, tokenizer.Encode(texts[i], addSpecialTokens: false, parseSpecialTokens: false));
        }
    }

    [Fact]
    public void SmolLm_is_cut_as_recorded()
    {
        using var gguf = GgufFile.Open(SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"));
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "smollm2-135m-instruct", "reference.json")));
        var tokenizer = TokenizerJson.Parse(GgufTokenizer.ToJson(gguf.Metadata));

        var rows = reference.RootElement.GetProperty("tokenizer").GetProperty("rows").EnumerateArray().ToList();
        foreach (var row in rows)
        {
            var ids = row.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32()).ToArray();
            Assert.Equal(ids, tokenizer.Encode(row.GetProperty("text").GetString()!, addSpecialTokens: true, parseSpecialTokens: true));
            Assert.Equal(row.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
        }

        Assert.True(rows.Count > 100);
    }

    [Fact]
    public void Begin_and_end_tokens_are_added_as_the_metadata_says()
    {
        var tokenizer = Tokenizer(Small("llama").Pair("tokenizer.ggml.add_eos_token", true));

        Assert.Equal([1, 4, 2], tokenizer.Encode("a", addSpecialTokens: true, parseSpecialTokens: false));
        Assert.Equal([4], tokenizer.Encode("a", addSpecialTokens: false, parseSpecialTokens: false));
    }

    [Theory]
    [InlineData("tokenizer.ggml.pre")]
    [InlineData("tokenizer.ggml.model")]
    public void What_is_not_known_is_refused_by_name(string key)
    {
        var bytes = key.EndsWith("pre", StringComparison.Ordinal) ? Small("gpt2").List("tokenizer.ggml.merges", "a b").Pair(key, "klingon") : Small("klingon");

        Assert.Contains($"{key} is \"klingon\"", Assert.Throws<TokenizerFormatException>(() => Tokenizer(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_that_contradicts_itself_is_refused()
    {
        Assert.Throws<TokenizerFormatException>(() => Tokenizer(Vocabulary("llama", "a", "a")));
        Assert.Throws<TokenizerFormatException>(() => Tokenizer(Small("gpt2").Pair("tokenizer.ggml.pre", "gpt-2").List("tokenizer.ggml.merges", "unmerged")));
    }

    [Fact]
    public void A_special_id_that_is_no_token_is_left_out()
    {
        var tokenizer = Tokenizer(Vocabulary("llama", "<unk>", "<s>", "</s>", "▁", "▁a", "a").Pair("tokenizer.ggml.bos_token_id", 7u));

        Assert.Equal([4], tokenizer.Encode("a", addSpecialTokens: true, parseSpecialTokens: false));
    }

    [Fact]
    public void A_file_without_a_vocabulary_has_no_tokenizer()
    {
        using var gguf = GgufFile.Open(new GgufBytes().Pair("tokenizer.ggml.model", "no_vocab").WriteTo(_folder.At("t.gguf")));

        Assert.False(GgufTokenizer.IsIn(gguf.Metadata));
    }

    private static GgufBytes Small(string kind) => Vocabulary(kind, "<unk>", "<s>", "</s>", "▁", "▁a", "a").Pair("tokenizer.ggml.bos_token_id", 1u).Pair("tokenizer.ggml.eos_token_id", 2u);

    private static GgufBytes Vocabulary(string kind, params string[] tokens) => new GgufBytes()
        .Pair("tokenizer.ggml.model", kind)
        .List("tokenizer.ggml.tokens", tokens)
        .List("tokenizer.ggml.scores", [.. tokens.Select((_, i) => -(float)i)])
        .List("tokenizer.ggml.token_type", [.. tokens.Select((_, i) => i switch { 0 => 2, 1 or 2 => 3, _ => 1 })]);

    private IOffsetTokenizer Tokenizer(GgufBytes bytes)
    {
        using var gguf = GgufFile.Open(bytes.WriteTo(_folder.At("t.gguf")));
        return TokenizerJson.Parse(GgufTokenizer.ToJson(gguf.Metadata));
    }
}
