using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>
/// Every component of <c>tokenizer.json</c> by itself, in small tokenizers, against what the Rust library of Hugging Face
/// answers: ids, ranges, segments, words and decoded texts. <c>tests/npm/component-vectors.mjs</c> made the answers.
/// </summary>
public sealed class ComponentVectorTests
{
    [Fact]
    public void Every_component_answers_as_the_reference_does()
    {
        var faults = new List<string>();
        var rows = 0;
        JsonNode? common = null;
        foreach (var line in GoldenFiles.Read("components.jsonl.gz"))
        {
            var name = line.GetProperty("name").GetString()!;
            if (line.TryGetProperty("model", out var model))
            {
                common = JsonNode.Parse(model.GetRawText());
                continue;
            }

            var tokenizer = TokenizerJson.Parse(Encoding.UTF8.GetBytes(Whole(line.GetProperty("tokenizer"), common!)));
            foreach (var row in line.GetProperty("rows").EnumerateArray())
            {
                rows++;
                Compare(name, tokenizer, row, faults);
            }
        }

        Assert.True(rows > 2000, $"There are only {rows} rows.");
        Assert.True(faults.Count == 0, $"{faults.Count} faults in {rows} rows:\n{string.Join('\n', faults.Take(30))}");
    }

    private static string Whole(JsonElement tokenizer, JsonNode common)
    {
        var whole = JsonNode.Parse(tokenizer.GetRawText())!.AsObject();
        if (whole["model"] is JsonValue)
        {
            whole["model"] = common.DeepClone();
        }

        return whole.ToJsonString();
    }

    private static void Compare(string name, IOffsetTokenizer tokenizer, JsonElement row, List<string> faults)
    {
        var text = row.GetProperty("text").GetString()!;
        var pair = row.TryGetProperty("pair", out var second) ? second.GetString() : null;
        var plain = pair is null
            ? tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true)
            : tokenizer.EncodePair(text, pair, addSpecialTokens: false, parseSpecialTokens: true);
        var spans = tokenizer.EncodeWithOffsets(text, pair, addSpecialTokens: true, parseSpecialTokens: true);
        Check("ids", Joined(row.Ids("ids")), Joined(plain));
        Check("ids_with_special", Joined(row.Ids("ids_with_special")), Joined(spans.Select(s => s.Id)));
        if (pair is null)
        {
            Check("ids of Encode", Joined(row.Ids("ids_with_special")), Joined(tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true)));
        }

        Check("type_ids", Joined(row.Ids("type_ids")), Joined(spans.Select(s => s.TypeId)));
        Check("words", Joined(row.Ids("words")), Joined(spans.Select(s => s.Word)));
        CheckOffsets([.. row.GetProperty("offsets").EnumerateArray().Select(o => (o[0].GetInt32(), o[1].GetInt32()))]);
        Check("decoded", row.GetProperty("decoded").GetString()!, tokenizer.Decode(row.Ids("ids"), skipSpecialTokens: false));
        Check("decoded_skip_special", row.GetProperty("decoded_skip_special").GetString()!, tokenizer.Decode(row.Ids("ids_with_special"), skipSpecialTokens: true));

        // Of characters that are composed, or replaced together, the reference names one; ours is the range of all of them.
        // Where unknown characters vanish it counts on as if they had not been there; ours are the true ranges.
        void CheckOffsets((int Start, int End)[] expected)
        {
            var covered = name.StartsWith("normalizer", StringComparison.Ordinal) && expected.Length == spans.Length
                && expected.Zip(spans).All(pair => pair.Second.Start <= pair.First.Start && pair.First.End <= pair.Second.End);
            if (!covered && name != "model BPE without unk")
            {
                Check("offsets", string.Join(' ', expected.Select(o => $"{o.Start}-{o.End}")), string.Join(' ', spans.Select(s => $"{s.Start}-{s.End}")));
            }
        }

        void Check(string what, string expected, string actual)
        {
            if (expected != actual)
            {
                faults.Add($"{name}: {what} of '{GoldenFiles.Shown(text)}': expected {GoldenFiles.Shown(expected)}, got {GoldenFiles.Shown(actual)}");
            }
        }
    }

    private static string Joined(IEnumerable<int> ids) => string.Join(' ', ids);
}
