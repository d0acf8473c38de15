using System.Net;
using System.Text;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Tokenizers;

/// <summary>Tokenizers as a service: put, encode, decode, over HTTP as any client does it.</summary>
public sealed class TokenizerServiceTests(ServerProcess server)
{
    /// <summary>Whole words, as small as a tokenizer can be.</summary>
    private const string Words = """
        {"version":"1.0","added_tokens":[{"id":3,"content":"<end>","special":true,"normalized":false}],"normalizer":{"type":"Lowercase"},
         "pre_tokenizer":{"type":"Whitespace"},"decoder":null,
         "post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<end>","type_id":0}}],"special_tokens":{"<end>":{"id":"<end>","ids":[3],"tokens":["<end>"]}}},
         "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"hello":1,"world":2}}}
        """;

    [Fact]
    public async Task A_tokenizer_that_was_put_encodes_and_decodes()
    {
        using var client = server.Client();

        using var put = await client.PutAsync("/api/v1/tokenizers/words", Json.Raw(Words));
        var view = Json.Parse(await put.Content.ReadAsStringAsync());
        var ids = await client.PostJsonAsync("/api/v1/tokenizers/words/encode", new { texts = new[] { "Hello there, world", "a\0b", "" } });
        var plain = await client.PostJsonAsync("/api/v1/tokenizers/words/encode", new { texts = new[] { "hello" }, add_special_tokens = false });
        var text = await client.PostJsonAsync("/api/v1/tokenizers/words/decode", new { ids = new[] { new[] { 1, 2, 3 } } });
        var whole = await client.PostJsonAsync("/api/v1/tokenizers/words/decode", new { ids = new[] { new[] { 1, 2, 3 } }, skip_special_tokens = false });

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(("words", "WordLevel", 4), (view.GetProperty("name").GetString(), view.GetProperty("kind").GetString(), view.GetProperty("vocabulary").GetInt32()));
        Assert.Equal([[1, 0, 0, 2, 3], [0, 0, 0, 3], [3]], ids.GetProperty("ids").EnumerateArray().Select(list => list.Ids()));
        Assert.Equal([1], plain.GetProperty("ids")[0].Ids());
        Assert.Equal("hello world", text.GetProperty("texts")[0].GetString());
        Assert.Equal("hello world <end>", whole.GetProperty("texts")[0].GetString());
    }

    [Fact]
    public async Task A_tokenizer_is_listed_replaced_and_forgotten_under_a_name_with_a_slash_too()
    {
        using var client = server.Client();

        using var first = await client.PutAsync("/api/v1/tokenizers/some/words", Json.Raw(Words));
        using var second = await client.PutAsync("/api/v1/tokenizers/some%2Fwords", Json.Raw(Words.Replace("\"world\":2", "\"world\":2,\"more\":4", StringComparison.Ordinal)));
        var shown = Json.Parse(await client.GetStringAsync("/api/v1/tokenizers/some%2Fwords"));
        var listed = Json.Parse(await client.GetStringAsync("/api/v1/tokenizers?limit=500"));
        using var deleted = await client.DeleteAsync("/api/v1/tokenizers/some/words");
        using var gone = await client.GetAsync("/api/v1/tokenizers/some/words");

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal(5, shown.GetProperty("vocabulary").GetInt32());
        Assert.Equal("tokenizer.json", shown.GetProperty("files")[0].GetProperty("path").GetString());
        Assert.Contains("some/words", listed.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Theory]
    [InlineData("""{"model":{"type":"Phonetic","vocab":{}}}""", "Phonetic")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0}},"normalizer":{"type":"Reverse"}}""", "normalizer")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":2000000000}}}""", "2000000000")]
    [InlineData("""{"model":{"type":"WordLevel","vocab":{"a":0,"a":1}}}""", "JSON")]
    [InlineData("""{"model":""", "JSON")]
    [InlineData("", "tokenizer")]
    public async Task A_file_that_is_not_supported_is_refused_by_the_name_of_its_component(string file, string named)
    {
        using var client = server.Client();

        using var answer = await client.PutAsync("/api/v1/tokenizers/refused", Json.Raw(file));
        var problem = Json.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(named, problem.GetProperty("detail").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("""{"model":{"type":"WordLevel","unk_token":"[UNK]","vocab":{"a":0}}}""", "b", "unk_token")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1.0]]}}""", "b", "unk_id")]
    [InlineData("""{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+b"},"behavior":"Isolated"},"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}""", "{a}", "steps")]
    [InlineData("""{"normalizer":{"type":"Sequence","normalizers":[{doubling}]},"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}""", "aaaa", "grow")]
    public async Task A_text_that_a_tokenizer_cannot_encode_is_refused_with_its_reason(string file, string text, string reason)
    {
        using var client = server.Client();
        file = file.Replace("{doubling}", string.Join(',', Enumerable.Repeat("""{"type":"Replace","pattern":{"String":"a"},"content":"aa"}""", 40)), StringComparison.Ordinal);
        text = text.Replace("{a}", new string('a', 20_000), StringComparison.Ordinal);
        using var put = await client.PutAsync("/api/v1/tokenizers/unable", Json.Raw(file));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);

        using var answer = await client.PostAsync("/api/v1/tokenizers/unable/encode", Json.Body(new { texts = new[] { "a", text } }));
        var problem = Json.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("unsupported_format", problem.GetProperty("code").GetString());
        Assert.Contains(reason, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.True(problem.GetProperty("errors").TryGetProperty("texts", out _));
    }

    [Fact]
    public async Task The_recorded_case_without_an_unknown_token_is_encoded_where_a_longer_piece_covers_it()
    {
        var file = await File.ReadAllTextAsync(SharedFolder.Require("cases", "08-unigram-no-unk.json"));
        using var client = server.Client();
        using var put = await client.PutAsync("/api/v1/tokenizers/case-08", Json.Raw(file));

        var ids = await client.PostJsonAsync("/api/v1/tokenizers/case-08/encode", new { texts = new[] { "日本" } });
        using var refused = await client.PostAsync("/api/v1/tokenizers/case-08/encode", Json.Body(new { texts = new[] { "Ж" } }));

        Assert.Equal([1, 3], ids.GetProperty("ids")[0].Ids());
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("no piece covers", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_other_forms_come_as_the_parts_of_a_form()
    {
        using var client = server.Client();
        using var form = new MultipartFormDataContent
        {
            { Part("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhel\n##lo\n"), "file", "vocab.txt" },
            { Part("""{"tokenizer_class":"BertTokenizer","do_lower_case":true}"""), "file", "tokenizer_config.json" },
        };

        using var put = await client.PutAsync("/api/v1/tokenizers/pieces", form);
        var ids = await client.PostJsonAsync("/api/v1/tokenizers/pieces/encode", new { texts = new[] { "Hello lo" } });

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal([2, 4, 5, 1, 3], ids.GetProperty("ids")[0].Ids());
    }

    [Fact]
    public async Task SentencePieces_model_is_read_whatever_its_part_is_called()
    {
        var file = await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "tokenizers", "models", "t5-like-unigram", "spiece.model"));
        using var client = server.Client();
        using var form = new MultipartFormDataContent { { new ByteArrayContent(file), "file", "my model" } };

        using var put = await client.PutAsync("/api/v1/tokenizers/t5", form);
        var view = Json.Parse(await put.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(("Unigram", 4000), (view.GetProperty("kind").GetString(), view.GetProperty("vocabulary").GetInt32()));
    }

    [Fact]
    public async Task Stored_tokenizers_are_there_after_a_restart()
    {
        using var folder = new TempFolder();
        var start = new ServerStart { Data = folder.At("data") };
        var before = await ServerProcess.StartAsync(start);
        using (var client = before.Client())
        {
            using var put = await client.PutAsync("/api/v1/tokenizers/kept", Json.Raw(Words));
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        }

        await before.StopAsync();
        await before.DisposeAsync();

        await using var after = await ServerProcess.StartAsync(start);
        using var again = after.Client();
        var ids = await again.PostJsonAsync("/api/v1/tokenizers/kept/encode", new { texts = new[] { "world" } });

        Assert.Equal([2, 3], ids.GetProperty("ids")[0].Ids());
    }

    private static ByteArrayContent Part(string text) => new(Encoding.UTF8.GetBytes(text));
}
