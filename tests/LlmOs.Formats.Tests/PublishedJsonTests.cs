using System.Text;
using System.Text.Json;

namespace LlmOs.Formats.Tests;

/// <summary>What Python's <c>json</c> writes and JSON does not have is read; every other fault names the file.</summary>
public class PublishedJsonTests
{
    [Fact]
    public void A_byte_order_mark_is_skipped()
    {
        var root = PublishedJson.Parse((byte[])[0xEF, 0xBB, 0xBF, .. "{\"a\":1}"u8], "a.json");

        Assert.Equal(1, root.GetProperty("a").GetInt32());
    }

    [Fact]
    public void Pythons_numbers_are_read_as_texts_of_their_names()
    {
        var root = PublishedJson.Parse(Encoding.UTF8.GetBytes("""{"NaN":NaN,"up":[Infinity,-1],"down":{"x":-Infinity},"said":"not \" Infinity","end":NaN}"""), "a.json");

        Assert.Equal("NaN", root.GetProperty("NaN").GetString());
        Assert.Equal("Infinity", root.GetProperty("up")[0].GetString());
        Assert.Equal(-1, root.GetProperty("up")[1].GetInt32());
        Assert.Equal("-Infinity", root.GetProperty("down").GetProperty("x").GetString());
        Assert.Equal("not \" Infinity", root.GetProperty("said").GetString());
        Assert.Equal("NaN", root.GetProperty("end").GetString());
    }

    [Fact]
    public void A_setting_that_is_no_number_is_refused_by_its_name()
    {
        var json = ConfigJson.Parse("{\"rms_norm_eps\":NaN}"u8.ToArray(), "config.json");

        var refusal = Assert.Throws<ModelFormatException>(() => json.Number("rms_norm_eps"));

        Assert.Equal((ModelFormatProblem.CorruptFile, "config.json: 'rms_norm_eps' must be a finite number, not \"NaN\"."), (refusal.Problem, refusal.Message));
    }

    [Fact]
    public void What_is_changed_and_written_again_keeps_all_else()
    {
        var json = PublishedJson.ParseObject("\uFEFF{\"a\":1,\"b\":[true]}"u8.ToArray(), "config.json");
        json["a"] = 2;

        Assert.Equal("{\"a\":2,\"b\":[true]}", json.ToJsonString());
    }

    public static TheoryData<byte[], string> Faults => new()
    {
        { [], "is empty" },
        { Encoding.UTF8.GetBytes("{\"a\":"), "is not valid JSON" },
        { Encoding.UTF8.GetBytes("{\"a\":1}{"), "is not valid JSON" },
        { Encoding.UTF8.GetBytes("{\"a\":Inf}"), "is not valid JSON" },
        { Encoding.UTF8.GetBytes("{\"a\":NaN"), "is not valid JSON" },
        { Encoding.UTF8.GetBytes("{\"a\":1,\"a\":2}"), "is not valid JSON" },
        { [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("{\"a\":1}")], "UTF-16" },
        { Encoding.BigEndianUnicode.GetBytes("{\"a\":1}"), "UTF-16" },
        { Encoding.UTF32.GetBytes("{\"a\":1}"), "UTF-32" },
        { Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("[", 65)) + string.Concat(Enumerable.Repeat("]", 65))), "depth of 64" },
        { Encoding.UTF8.GetBytes("{\"a\":\"\\ud800\"}"), "lone surrogate" },
        { Encoding.UTF8.GetBytes("{\"\\udc00\":1}"), "lone surrogate" },
        { [.. "{\"a\":\""u8, 0xE9, .. "\"}"u8], "not Unicode" },
        { Encoding.UTF8.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), "Git LFS pointer" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Every_other_fault_is_refused_by_the_files_name(byte[] json, string reason)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => PublishedJson.Parse(json, "tokenizer_config.json"));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
        Assert.StartsWith("tokenizer_config.json ", refusal.Message);
        Assert.Contains(reason, refusal.Message);
    }

    [Fact]
    public void Depths_up_to_64_are_read()
    {
        var json = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("[", 64)) + string.Concat(Enumerable.Repeat("]", 64)));

        Assert.Equal(JsonValueKind.Array, PublishedJson.Parse(json, "a.json").ValueKind);
    }
}
