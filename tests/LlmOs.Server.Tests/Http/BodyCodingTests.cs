using System.IO.Compression;
using System.Net;
using System.Text;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public class BodyCodingTests(ServerProcess server)
{
    private const string Request = """{"name":"coded","scopes":["read"]}""";

    [Theory]
    [InlineData("application/json; charset=utf8")]
    [InlineData("application/json; charset=UTF8")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/json; charset=")]
    [InlineData("application/json;charset=us-ascii")]
    [InlineData("application/problem+json; charset=utf8; x=1")]
    public async Task Utf8_is_taken_under_all_its_names(string type)
    {
        using var answer = await SendAsync(type, Encoding.UTF8.GetBytes(Request));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task Another_form_of_unicode_is_taken_where_it_is_stated()
    {
        using var answer = await SendAsync("application/json; charset=utf-16", Encoding.Unicode.GetBytes(Request));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Theory]
    [InlineData("foo-8")]
    [InlineData("windows-1252")]
    [InlineData("gb2312")]
    [InlineData("utf-7")]
    public async Task Another_charset_is_refused_by_name(string charset)
    {
        using var answer = await SendAsync($"application/json; charset={charset}", Encoding.UTF8.GetBytes(Request));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains(charset, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/keys")]
    [InlineData("/v1/completions")]
    [InlineData("/pipeline/text-generation")]
    public async Task A_compressed_body_is_refused_with_what_is_accepted(string path)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Request));
        }

        using var answer = await SendAsync("application/json", packed.ToArray(), path, "gzip");

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains("without compression", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("identity", answer.Headers.GetValues("Accept-Encoding").Single());
    }

    private async Task<HttpResponseMessage> SendAsync(string type, byte[] body, string path = "/api/v1/keys", string? coding = null)
    {
        using var client = server.Client();
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (coding is not null)
        {
            content.Headers.ContentEncoding.Add(coding);
        }

        return await client.PostAsync(path, content);
    }
}
