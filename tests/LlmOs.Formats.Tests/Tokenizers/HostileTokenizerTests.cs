using System.Text;
using System.Text.Json.Nodes;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Files that nobody means well with: refused with a sentence, or stopped while they work, whatever they hold.</summary>
public sealed class HostileTokenizerTests
{
    private const string Words = """{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}""";

    [Theory]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a","a"]]}}""", "\"aa\" is not in the vocabulary")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b c"]}}""", "merges[0]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}""", "merges[0]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}""", "share the id 0")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "begin at 0")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":2147483647},"merges":[]}}""", "out of range")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":99999999999999999999},"merges":[]}}""", "whole number")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}""", "whole number")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}}""", "JSON")]
    [InlineData("""{"model":{"type":"BPE","vocab":[],"merges":[]}}""", "model.vocab")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"\ud800":0},"merges":[]}}""", "half a character")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["\ud800 a"]}}""", "half a character")]
    [InlineData("""{"model":{"type":"Unigram","unk_id":5,"vocab":[["a",0]]}}""", "unk_id")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",1e999]]}}""", "finite")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a"]]}}""", "model.vocab[0]")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0},"max_input_chars_per_word":-1}}""", "max_input_chars_per_word")]
    [InlineData("""{"model":{"type":"Nothing"}}""", "Nothing")]
    [InlineData("""{"model":5}""", "model")]
    [InlineData("""[]""", "tokenizer.json")]
    [InlineData("", "JSON")]
    public void Models_that_contradict_themselves_are_refused(string file, string named) => AssertRefused(file, named);

    [Theory]
    [InlineData("""{"type":"Precompiled","precompiled_charsmap":"not base64!"}""", "precompiled_charsmap")]
    [InlineData("""{"type":"Precompiled","precompiled_charsmap":"////fw=="}""", "trie")]
    [InlineData("""{"type":"Precompiled","precompiled_charsmap":"AQ=="}""", "trie")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"("},"content":""}""", "normalizer")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"a{2000}"},"content":""}""", "1000")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"((a{1000}){1000}){1000}"},"content":""}""", "too large")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"(?<n>a)\\k<n>"},"content":""}""", "not supported")]
    [InlineData("""{"type":"Reverse"}""", "Reverse")]
    [InlineData("""{"type":["NFC"]}""", "normalizer.type")]
    public void Normalisers_that_cannot_work_are_refused(string normalizer, string named) =>
        AssertRefused($$"""{"normalizer":{{normalizer}},"model":{{Words}}}""", named);

    [Fact]
    public void Deep_and_wide_nesting_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"type":"Sequence","normalizers":[""", 500)) + string.Concat(Enumerable.Repeat("]}", 500));
        var wide = string.Join(',', Enumerable.Repeat("""{"type":"NFC"}""", 5000));
        var groups = new string('(', 5000) + new string(')', 5000);

        AssertRefused($$"""{"normalizer":{{deep}},"model":{{Words}}}""", "JSON");
        AssertRefused($$"""{"normalizer":{"type":"Sequence","normalizers":[{{wide}}]},"model":{{Words}}}""", "normalizer");
        AssertRefused($$"""{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"{{groups}}"},"behavior":"Removed"},"model":{{Words}}}""", "deeper");
    }

    [Theory]
    [InlineData("(a+)+b")]
    [InlineData("(a|aa)+$b")]
    [InlineData("(?:a?){500}a{500}b")]
    [InlineData("(?=(a*)*b)a")]
    public void Expressions_that_backtrack_without_end_are_stopped(string source)
    {
        var pattern = JsonValue.Create(source).ToJsonString();
        var split = Parse($$"""{"pre_tokenizer":{"type":"Split","pattern":{"Regex":{{pattern}}},"behavior":"Isolated"},"model":{{Words}}}""");
        var pieces = Parse($$"""{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"FixedLength","length":40},{"type":"Split","pattern":{"Regex":{{pattern}}},"behavior":"Isolated"}]},"model":{{Words}}}""");
        var text = new string('a', 100_000);

        AssertStopped(() => split.Encode(text, false, false));

        // The steps are counted for the whole text, not anew for each of its pieces.
        AssertStopped(() => pieces.Encode(text, false, false));
    }

    [Fact]
    public void Texts_that_double_again_and_again_are_stopped()
    {
        var doubling = string.Join(',', Enumerable.Repeat("""{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""", 60));
        var tokenizer = Parse($$"""{"normalizer":{"type":"Sequence","normalizers":[{{doubling}}]},"model":{{Words}}}""");

        Assert.Contains("grow", Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode("aaaa", false, false)).Message, StringComparison.Ordinal);
        AssertRefused($$"""{"normalizer":{"type":"Prepend","prepend":"{{new string('x', 5000)}}"},"model":{{Words}}}""", "prepend");
    }

    /// <summary>A batch runs on several threads; its refusal is that of the text alone, not one of the threads' together.</summary>
    [Theory]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1.0]]}}""", "b", "unk_id")]
    [InlineData("""{"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"a":0}}}""", "b", "unk_token")]
    [InlineData("""{"model":{"type":"WordLevel","unk_token":"[UNK]","vocab":{"a":0}}}""", "b", "unk_token")]
    [InlineData("""{"model":{"type":"BPE","unk_token":"[UNK]","vocab":{"a":0},"merges":[]}}""", "b", "unk_token")]
    public void A_batch_is_refused_as_its_text_alone(string file, string text, string named)
    {
        var tokenizer = Parse(file);

        var alone = Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode(text, false, false));
        var batch = Assert.Throws<TokenizerFormatException>(() => tokenizer.EncodeBatch(["a", text, "a", text], false, false));

        Assert.Contains(named, alone.Message, StringComparison.Ordinal);
        Assert.Equal(alone.Message, batch.Message);
    }

    [Theory]
    [InlineData("日本", new[] { 1 })]
    [InlineData("日本日", new[] { 1, 2 })]
    [InlineData("本日日本", new[] { 3, 1 })]
    [InlineData("", new int[0])]
    public void Without_an_unknown_token_unigram_encodes_what_longer_pieces_cover(string text, int[] ids)
    {
        var tokenizer = Parse("""{"model":{"type":"Unigram","unk_id":null,"vocab":[["a",-1.0],["日本",-5.0],["日",-6.0],["本日",-7.0]]}}""");

        Assert.Equal(ids, tokenizer.Encode(text, false, false));
    }

    [Theory]
    [InlineData("本")]
    [InlineData("日本本")]
    [InlineData("aЖ")]
    public void Without_an_unknown_token_unigram_refuses_what_no_cut_covers(string text)
    {
        var tokenizer = Parse("""{"model":{"type":"Unigram","unk_id":null,"vocab":[["a",-1.0],["日本",-5.0],["日",-6.0],["本日",-7.0]]}}""");

        Assert.Contains("unk_id", Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode(text, false, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_that_feed_themselves_end()
    {
        // Each token is half of the next; a text of one letter goes through all of them.
        var vocabulary = new JsonObject();
        var merges = new JsonArray();
        for (var (i, token) = (0, "a"); i < 15; i++, token += token)
        {
            vocabulary[token] = i;
            if (i < 14)
            {
                merges.Add((JsonNode)new JsonArray(token, token));
            }
        }

        var tokenizer = Parse(new JsonObject { ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocabulary, ["merges"] = merges } }.ToJsonString());

        var ids = tokenizer.Encode(new string('a', 1 << 20), addSpecialTokens: false, parseSpecialTokens: false);

        Assert.Equal(64, ids.Length);
        Assert.All(ids, id => Assert.Equal(14, id));
    }

    /// <summary>A quadratic step would take hours here.</summary>
    [Theory]
    [InlineData("gpt2")]
    [InlineData("bert-base-uncased")]
    [InlineData("t5-like-unigram")]
    public void A_megabyte_of_the_same_is_encoded_and_given_back(string name)
    {
        var tokenizer = TokenizerJson.Load(SharedFolder.Require("vectors", "tokenizers", "models", name, "tokenizer.json"));
        foreach (var unit in new[] { "a", " ", "\u200d", "👩‍", "\u0301", "\n", "<|endoftext|>", "中" })
        {
            var text = string.Concat(Enumerable.Repeat(unit, (1 << 20) / Encoding.UTF8.GetByteCount(unit)));

            var ids = tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true);

            if (name == "gpt2")
            {
                Assert.Equal(text, tokenizer.Decode(ids, skipSpecialTokens: false));
            }
        }
    }

    [Fact]
    public void Ids_from_outside_give_no_text()
    {
        var tokenizer = Parse($$"""{"model":{{Words}}}""");

        Assert.Equal("a a", tokenizer.Decode([0, -1, int.MaxValue, int.MinValue, 0, 1], skipSpecialTokens: false));
        Assert.Null(tokenizer.TokenOf(-1));
        Assert.Null(tokenizer.TokenOf(int.MaxValue));
        Assert.False(tokenizer.IsSpecial(-5));
    }

    [Fact]
    public void Mutated_files_are_refused_in_words_or_work()
    {
        var random = new Random(20_261_125);
        var (refused, worked) = (0, 0);
        foreach (var file in SmallFiles())
        {
            for (var i = 0; i < 250; i++)
            {
                var mutated = i % 2 == 0 ? JsonMutation.Of(file, random) : BytesMutated(file, random);
                try
                {
                    Use(TokenizerJson.Parse(mutated), random);
                    worked++;
                }
                catch (TokenizerFormatException fault)
                {
                    Assert.NotEmpty(fault.Message);
                    refused++;
                }
            }
        }

        Assert.True(refused > 500, $"Only {refused} files were refused.");
        Assert.True(worked > 200, $"Only {worked} files could be used.");
    }

    [Fact]
    public void Mutated_files_of_the_older_forms_are_refused_in_words_or_work()
    {
        using var folder = new TempFolder();
        var random = new Random(7);
        var originals = new List<(string Name, byte[] Bytes)>
        {
            ("vocab.txt", Encoding.UTF8.GetBytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhel\n##lo\na\n")),
            ("tokenizer.tiktoken", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 60).Select(i => $"{Convert.ToBase64String([(byte)(i + 40)])} {i}\n")))),
        };
        originals.AddRange(GoldenFiles.Read("sentencepiece.jsonl.gz").Where(l => l.TryGetProperty("model", out _)).Select(l => ("spiece.model", l.GetProperty("model").GetBytesFromBase64())));
        originals.AddRange(new[] { "gpt-2", "phi-3", "bert-bge" }.Select(name => ("tokenizer.gguf", Head(SharedFolder.Require("models", "gguf-vocabs", $"ggml-vocab-{name}.gguf"), 4000))));
        foreach (var (name, bytes) in originals)
        {
            for (var i = 0; i < 100; i++)
            {
                File.WriteAllBytes(folder.At(name), BytesMutated(bytes, random));
                try
                {
                    Use(TokenizerFolder.Load(new Dictionary<string, string> { [name] = folder.At(name) }), random);
                }
                catch (TokenizerFormatException fault)
                {
                    Assert.NotEmpty(fault.Message);
                }
            }
        }
    }

    private static void Use(IOffsetTokenizer tokenizer, Random random)
    {
        var texts = new RandomText(random.Next());
        for (var i = 0; i < 3; i++)
        {
            var text = texts.Next(12);
            tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true);
            tokenizer.EncodeWithOffsets(text, "pair", addSpecialTokens: true, parseSpecialTokens: false);
            tokenizer.Decode(texts.Ids(Math.Max(1, tokenizer.VocabularySize)), skipSpecialTokens: i == 0);
        }
    }

    /// <summary>Published files with a vocabulary cut short, so that thousands can be read.</summary>
    private static List<byte[]> SmallFiles()
    {
        string[][] paths =
        [
            ["vectors", "tokenizers", "models", "gpt2", "tokenizer.json"],
            ["vectors", "tokenizers", "models", "bert-base-uncased", "tokenizer.json"],
            ["vectors", "tokenizers", "models", "t5-like-unigram", "tokenizer.json"],
            ["models", "tokenizers", "phi3", "tokenizer.json"],
            ["models", "smollm2-135m-instruct", "tokenizer.json"],
            ["models", "hf-tiny", "roberta-mlm", "tokenizer.json"],
        ];
        var files = new List<byte[]>();
        foreach (var path in paths)
        {
            var file = JsonNode.Parse(File.ReadAllBytes(SharedFolder.Require(path)))!;
            var model = file["model"]!;
            if (model["vocab"] is JsonArray pieces)
            {
                while (pieces.Count > 300)
                {
                    pieces.RemoveAt(pieces.Count - 1);
                }
            }
            else
            {
                var kept = model["vocab"]!.AsObject().Where(p => (int)p.Value! < 400).ToDictionary(p => p.Key, p => (int)p.Value!);
                model["vocab"] = new JsonObject(kept.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));
                if (model["merges"] is JsonArray merges)
                {
                    var pairs = merges.Take(3000).Select(m => m is JsonArray pair ? ((string)pair[0]!, (string)pair[1]!) : Split((string)m!)).ToList();
                    model["merges"] = new JsonArray([.. pairs.Where(p => kept.ContainsKey(p.Item1) && kept.ContainsKey(p.Item2) && kept.ContainsKey(p.Item1 + p.Item2)).Select(p => (JsonNode)new JsonArray(p.Item1, p.Item2))]);
                }
            }

            // The character map of a published file is as large as all the rest; its own tests cover it.
            if (file["normalizer"]?["normalizers"]?[0]?["precompiled_charsmap"] is not null)
            {
                file["normalizer"]!["normalizers"]![0]!["precompiled_charsmap"] = Convert.ToBase64String([8, 0, 0, 0, 1, 4, 0, 0, 2, 8, 0, 0, 65, 0]);
            }

            var small = Encoding.UTF8.GetBytes(file.ToJsonString());
            TokenizerJson.Parse(small); // whole, it can be read
            files.Add(small);
        }

        return files;

        static (string, string) Split(string merge) => (merge[..merge.IndexOf(' ', StringComparison.Ordinal)], merge[(merge.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
    }

    private static byte[] Head(string path, int bytes)
    {
        using var file = File.OpenRead(path);
        var head = new byte[bytes];
        file.ReadExactly(head);
        return head;
    }

    private static byte[] BytesMutated(byte[] file, Random random)
    {
        var bytes = file.ToArray();
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            switch (random.Next(4))
            {
                case 0:
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes = bytes[..random.Next(1, bytes.Length + 1)];
                    break;
                default:
                    var (from, length) = (random.Next(bytes.Length), random.Next(16));
                    bytes = [.. bytes[..from], .. bytes.Skip(random.Next(bytes.Length)).Take(length), .. bytes[from..]];
                    break;
            }
        }

        return bytes;
    }

    private static IOffsetTokenizer Parse(string json) => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json));

    private static void AssertRefused(string file, string named) =>
        Assert.Contains(named, Assert.Throws<TokenizerFormatException>(() => Parse(file)).Message, StringComparison.OrdinalIgnoreCase);

    private static void AssertStopped(Func<int[]> encode) =>
        Assert.Contains("too many steps", Assert.Throws<TokenizerFormatException>(encode).Message, StringComparison.Ordinal);
}
