using System.Net;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public class HeadTests(ServerProcess server)
{
    [Theory]
    [InlineData("/healthz", false)]
    [InlineData("/readyz", false)]
    [InlineData("/login", false)]
    [InlineData("/v1/models", true)]
    [InlineData("/api/v1/models", true)]
    [InlineData("/api/v1/models/starter/versions/1/files/config.json", true)]
    [InlineData("/swagger/v1/swagger.json", true)]
    [InlineData("/_content/LlmOs.Web/favicon.svg", false)]
    public async Task Head_answers_as_get_does_without_the_body(string path, bool withKey)
    {
        using var client = server.Client(withKey ? ServerProcess.AdminKey : null);
        using var got = await client.GetAsync(path);
        using var request = new HttpRequestMessage(HttpMethod.Head, path);

        using var head = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(got.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal((await got.Content.ReadAsByteArrayAsync()).Length, head.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/api/v1/models/starter/versions/1/download")]
    [InlineData("/api/v1/models/starter/versions/1/files/model.safetensors")]
    public async Task The_head_of_a_large_file_is_told_without_making_it(string path)
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(HttpMethod.Head, path);

        using var head = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        using var after = await client.GetAsync("/healthz"); // the same connection goes on
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/jobs", HttpStatusCode.Unauthorized)]
    [InlineData("/no/such/route", HttpStatusCode.Unauthorized)]
    public async Task Head_needs_the_key_that_get_needs(string path, HttpStatusCode expected)
    {
        using var client = server.Client(key: null);
        using var request = new HttpRequestMessage(HttpMethod.Head, path);

        using var head = await client.SendAsync(request);

        Assert.Equal(expected, head.StatusCode);
    }

    [Theory]
    [InlineData("HEAD", "/v1/completions", true)]
    [InlineData("POST", "/healthz", false)]
    [InlineData("DELETE", "/readyz", false)]
    public async Task What_a_path_does_not_take_is_said(string method, string path, bool withKey)
    {
        using var client = server.Client(withKey ? ServerProcess.AdminKey : null);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.NotEmpty(answer.Content.Headers.Allow);
    }
}
