using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace LlmOs.Server.Tests.Http;

/// <summary>Whatever is thrown, an answer is written.</summary>
public class ProblemHandlerTests
{
    [Fact]
    public async Task Json_that_was_read_beside_a_body_has_no_path_and_is_a_bad_request_all_the_same()
    {
        var (status, body) = await AnswerAsync(() => throw Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse("{")));

        Assert.Equal(400, status);
        Assert.Equal("body", body.GetProperty("errors").EnumerateObject().Single().Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("missing required properties including: .")]
    public async Task A_fault_of_json_with_an_empty_path_and_whatever_message_is_described(string message)
    {
        var (status, body) = await AnswerAsync(() => throw new JsonException(message, path: "", null, null));

        Assert.Equal(400, status);
        Assert.NotEmpty(body.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task A_refusal_without_a_message_and_a_request_without_a_path_are_answered()
    {
        var (status, body) = await AnswerAsync(() => throw new LlmOsException(ErrorCode.Conflict, ""), path: "");

        Assert.Equal((409, "Conflict."), (status, body.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_status_alone_on_a_request_without_a_path_is_answered()
    {
        var (status, body) = await AnswerAsync(http => http.Response.StatusCode = 404, path: "");

        Assert.Equal((404, "There is no *. /swagger lists what there is."), (status, body.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_bad_request_of_the_framework_without_a_message_is_answered()
    {
        var (status, body) = await AnswerAsync(() => throw new BadHttpRequestException(""));

        Assert.Equal((400, "invalid_request"), (status, body.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_dialect_that_fails_at_an_error_leaves_it_to_the_platform()
    {
        var dialects = new KnownDialects();
        dialects.Add(new Broken());

        var (status, body) = await AnswerAsync(_ => throw new LlmOsException(ErrorCode.Conflict, "x"), "/broken/x", dialects);

        Assert.Equal((500, "internal_error"), (status, body.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_tier_that_fails_at_naming_a_fault_makes_a_bug_of_it()
    {
        var (status, body) = await AnswerAsync(_ => throw new InvalidOperationException("inside"), known: [new BrokenFaults()]);

        Assert.Equal(500, status);
        Assert.DoesNotContain("inside", body.ToString(), StringComparison.Ordinal);
    }

    private static Task<(int Status, JsonElement Body)> AnswerAsync(Action thrown, string path = "/x") => AnswerAsync(_ => thrown(), path);

    private static async Task<(int Status, JsonElement Body)> AnswerAsync(
        Action<HttpContext> handle, string path = "/x", KnownDialects? dialects = null, IEnumerable<IKnownFaults>? known = null)
    {
        var http = new DefaultHttpContext { Request = { Method = "GET", Path = path }, Response = { Body = new MemoryStream() } };
        var handler = new ProblemHandler(
            context =>
            {
                handle(context);
                return Task.CompletedTask;
            },
            dialects ?? new KnownDialects(),
            known ?? [],
            NullLogger<ProblemHandler>.Instance);

        await handler.InvokeAsync(http);

        return (http.Response.StatusCode, JsonDocument.Parse(Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray())).RootElement.Clone());
    }

    private sealed class Broken : IDialect
    {
        public string Name => "broken";

        public IReadOnlyList<PathString> Prefixes { get; } = ["/broken"];

        public StreamFraming Framing { get; } = new NdJson();

        public DialectError ErrorOf(LlmOsException refusal, string requestId) => throw new InvalidOperationException("broken");
    }

    private sealed class BrokenFaults : IKnownFaults
    {
        public LlmOsException? AsRefusal(Exception fault) => throw new InvalidOperationException("inside too");
    }
}
