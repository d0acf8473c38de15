using System.Net;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public class ErrorShapeTests(ServerProcess server)
{
    [Theory]
    [InlineData("GET", "/api/v1/nothing", 404, "not_found")]
    [InlineData("GET", "/api/v1/jobs/job_nothing", 404, "not_found")]
    [InlineData("DELETE", "/api/v1/jobs", 405, "method_not_allowed")]
    [InlineData("POST", "/api/v1/keys", 415, "unsupported_media_type")]
    [InlineData("GET", "/nothing", 404, "not_found")]
    public async Task The_platform_s_own_routes_refuse_with_a_problem_document(string method, string path, int status, string code)
    {
        using var answer = await SendAsync(method, path, new StringContent("x"));
        var problem = await answer.ReadAsync();

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        Assert.Equal(answer.Headers.GetValues("x-request-id").Single(), problem.GetProperty("request_id").GetString());
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "not_found", "not_found_error")]
    [InlineData("GET", "/V1/nothing", 404, "not_found", "not_found_error")]
    [InlineData("GET", "/V1/Completions", 405, "method_not_allowed", "invalid_request_error")]
    [InlineData("GET", "/models/a/b/c/d", 404, "not_found", "not_found_error")]
    [InlineData("GET", "/v1/completions", 405, "method_not_allowed", "invalid_request_error")]
    [InlineData("POST", "/v1/completions", 415, "unsupported_media_type", "invalid_request_error")]
    [InlineData("GET", "/pipeline/text-generation", 405, "method_not_allowed", "invalid_request_error")]
    public async Task The_inference_routes_refuse_in_openai_s_shape(string method, string path, int status, string code, string type)
    {
        using var answer = await SendAsync(method, path, new StringContent("x"));
        var error = (await answer.ReadAsync()).GetProperty("error");

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal((code, type), (error.GetProperty("code").GetString(), error.GetProperty("type").GetString()));
        Assert.True(error.TryGetProperty("param", out _));
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData("/v1/completions", "error")]
    [InlineData("/V1/nothing", "error")]
    [InlineData("/tokenize", "error")]
    [InlineData("/api/v1/jobs", "detail")]
    [InlineData("/API/v1/nothing", "detail")]
    public async Task Who_has_no_key_is_refused_in_the_shape_of_the_path(string path, string field)
    {
        using var client = server.Client(key: null);

        using var answer = await client.PostAsync(path, Answers.Json("{}"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.True((await answer.ReadAsync()).TryGetProperty(field, out _));
    }

    [Theory]
    [InlineData("{", "invalid_json", "body")]
    [InlineData("", "invalid_request", "body")]
    [InlineData("null", "invalid_request", "body")]
    [InlineData("[]", "invalid_request", "body")]
    [InlineData("{}", "invalid_request", "name")]
    [InlineData("""{"name":null}""", "invalid_request", "name")]
    [InlineData("""{"name":7}""", "invalid_request", "name")]
    [InlineData("""{"name":""}""", "invalid_request", "name")]
    [InlineData("""{"name":"a\u0000"}""", "invalid_request", "name")]
    [InlineData("""{"name":"a\ud800"}""", "invalid_request", "name")]
    [InlineData("""{"name":"a","name":"b"}""", "invalid_json", "name")]
    [InlineData("""{"name":"a","scopes":["read",7]}""", "invalid_request", "scopes[1]")]
    [InlineData("""{"name":"a","scopes":["root"]}""", "invalid_request", "scopes")]
    [InlineData("""{"name":"a","expires_at":1e308}""", "invalid_request", "expires_at")]
    [InlineData("""{"name":"a","expires_at":"2001-01-01T00:00:00Z"}""", "invalid_request", "expires_at")]
    public async Task A_bad_body_names_its_field(string body, string code, string field)
    {
        using var answer = await SendAsync("POST", "/api/v1/keys", Answers.Json(body));
        var problem = await answer.ReadAsync();

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=many", "limit")]
    [InlineData("?limit=99999999999999", "limit")]
    [InlineData("?state=sleeping", "state")]
    [InlineData("?kind=%00", "kind")]
    [InlineData("?after=job_nothing", "after")]
    public async Task A_bad_parameter_names_itself(string query, string field)
    {
        using var answer = await SendAsync("GET", "/api/v1/jobs" + query, null);
        var problem = await answer.ReadAsync();

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _), problem.ToString());
    }

    [Fact]
    public async Task A_body_of_chunks_beyond_the_limit_is_refused_too()
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/keys") { Content = Answers.Json($$"""{"name":"{{new string('x', 17 << 20)}}"}""") };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.ExpectContinue = false;

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("request_too_large", (await answer.ReadAsync()).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("my-id_1.2", true)]
    [InlineData("bad id", false)]
    [InlineData("<script>", false)]
    public async Task A_sane_request_id_is_taken_over_and_any_other_replaced(string stated, bool kept)
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.TryAddWithoutValidation("x-request-id", stated);

        using var answer = await client.SendAsync(request);
        var id = answer.Headers.GetValues("x-request-id").Single();

        Assert.Equal(kept, id == stated);
        Assert.NotEmpty(id);
    }

    [Fact]
    public async Task Every_answer_carries_the_common_headers()
    {
        using var answer = await SendAsync("GET", "/api/v1/jobs", null);

        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Matches("^[0-9]+$", answer.Headers.GetValues("openai-processing-ms").Single());
        Assert.False(answer.Headers.Contains("Server"));
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, HttpContent? body)
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "GET" ? null : body };
        return await client.SendAsync(request);
    }
}
