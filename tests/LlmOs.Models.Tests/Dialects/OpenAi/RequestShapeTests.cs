using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;

namespace LlmOs.Models.Tests.Dialects.OpenAi;

public class RequestShapeTests
{
    [Theory]
    [InlineData("\"hi\"", 1)]
    [InlineData("[\"a\",\"b\"]", 2)]
    [InlineData("[1,2,3]", 1)]
    [InlineData("[[1],[2,3]]", 2)]
    [InlineData("[[]]", 1)]
    public void A_prompt_comes_in_four_shapes(string json, int prompts)
    {
        var read = JsonSerializer.Deserialize<CompletionRequest>($$"""{"prompt":{{json}}}""", LlmOsJson.Options)!;

        Assert.Equal(prompts, read.Prompt!.Items.Count);
        Assert.All(read.Prompt.Items, item => Assert.True(item.Text is null != item.Ids is null));
    }

    [Theory]
    [InlineData("prompt", "[]")]
    [InlineData("prompt", "[1,\"a\"]")]
    [InlineData("prompt", "[\"a\",1]")]
    [InlineData("prompt", "[1.5]")]
    [InlineData("prompt", "[[1],2]")]
    [InlineData("prompt", "{}")]
    [InlineData("prompt", "7")]
    [InlineData("stop", "[1]")]
    [InlineData("stop", "true")]
    [InlineData("max_tokens", "\"ten\"")]
    public void Another_shape_is_refused_with_the_field(string field, string json)
    {
        var refusal = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<CompletionRequest>($$"""{"{{field}}":{{json}}}""", LlmOsJson.Options));

        Assert.StartsWith("$." + field, refusal.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_parts_are_one_text()
    {
        var read = JsonSerializer.Deserialize<ChatMessage>("""{"role":"user","content":[{"type":"text","text":"Hello "},{"type":"text","text":"there"}]}""", LlmOsJson.Options)!;

        Assert.Equal("Hello there", read.Content!.Text);
    }

    [Theory]
    [InlineData("""[{"type":"image_url","image_url":{"url":"x"}}]""", "image_url")]
    [InlineData("""[{"type":"text"}]""", "is missing")]
    [InlineData("""["plain"]""", "text part")]
    [InlineData("123", "text parts")]
    [InlineData("\"\\ud800\"", "surrogate")]
    public void Content_that_is_not_text_is_refused_by_what_it_is(string content, string expected)
    {
        var refusal = Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<ChatMessage>($$"""{"role":"user","content":{{content}}}""", LlmOsJson.Options));

        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.StartsWith("$.content", refusal.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_nobody_knows_are_kept_so_that_they_can_be_told()
    {
        var read = JsonSerializer.Deserialize<CompletionRequest>("""{"prompt":"x","some_future_field":1}""", LlmOsJson.Options)!;

        Assert.Equal(["some_future_field"], read.Unknown!.Keys);
    }

    [Fact]
    public void Unions_are_written_as_they_were_read()
    {
        var json = """{"prompt":[[1,2],[3]],"stop":["a"]}""";
        var read = JsonSerializer.Deserialize<CompletionRequest>(json, LlmOsJson.Options)!;

        var written = JsonSerializer.SerializeToElement(read, LlmOsJson.Options);

        Assert.Equal("[[1,2],[3]]", written.GetProperty("prompt").GetRawText());
        Assert.Equal("[\"a\"]", written.GetProperty("stop").GetRawText());
    }
}
