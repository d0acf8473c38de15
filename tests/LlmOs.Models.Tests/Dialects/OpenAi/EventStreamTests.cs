using System.Text;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models.Tests.Dialects.OpenAi;

public class EventStreamTests
{
    [Fact]
    public async Task Items_are_written_one_by_one_and_the_end_is_said()
    {
        var (body, owner) = await WriteAsync(Items(new { a = 1 }, "raw"), done: true);

        Assert.Equal("data: {\"a\":1}\n\ndata: raw\n\ndata: [DONE]\n\n", body);
        Assert.Equal(1, owner.Disposals);
    }

    [Fact]
    public async Task A_refusal_on_the_way_is_an_error_event_and_no_end()
    {
        var (body, owner) = await WriteAsync(Failing(new LlmOsException(ErrorCode.Overloaded, "Too much.")), done: true);

        Assert.StartsWith("data: first\n\nevent: error\ndata: {\"error\":{\"message\":\"Too much.\"", body, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"overloaded\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", body, StringComparison.Ordinal);
        Assert.Equal(1, owner.Disposals);
    }

    [Fact]
    public async Task A_closed_engine_is_told_as_a_server_that_is_not_available()
    {
        var (body, _) = await WriteAsync(Failing(new EngineClosedException("closed")), done: true);

        Assert.Contains("\"code\":\"unavailable\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bug_on_the_way_tells_nothing_of_its_insides()
    {
        var (body, _) = await WriteAsync(Failing(new InvalidOperationException("secret path /x/y")), done: true);

        Assert.Contains("\"code\":\"internal_error\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_stream_and_gives_the_work_back()
    {
        using var leaving = new CancellationTokenSource();
        var owner = new Owner();
        var http = Context();
        http.RequestAborted = leaving.Token;

        await new EventStream(Leaves(leaving), owner).ExecuteAsync(http);

        Assert.Equal(1, owner.Disposals);
        Assert.Equal("data: first\n\n", Text(http));
    }

    private static async Task<(string Body, Owner Owner)> WriteAsync(IAsyncEnumerable<object> items, bool done)
    {
        var owner = new Owner();
        var http = Context();

        await new EventStream(items, owner, done).ExecuteAsync(http);

        Assert.Equal("text/event-stream", http.Response.ContentType);
        return (Text(http), owner);
    }

    private static DefaultHttpContext Context()
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddOptions();
        services.AddOptions<ServingOptions>();
        return new DefaultHttpContext { RequestServices = services.BuildServiceProvider(), Response = { Body = new MemoryStream() } };
    }

    private static string Text(HttpContext http) => Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());

    private static async IAsyncEnumerable<object> Items(params object[] items)
    {
        foreach (var item in items)
        {
            await Task.Yield();
            yield return item;
        }
    }

    private static async IAsyncEnumerable<object> Failing(Exception fault)
    {
        yield return "first";
        await Task.Yield();
        throw fault;
    }

    private static async IAsyncEnumerable<object> Leaves(CancellationTokenSource leaving)
    {
        yield return "first";
        await leaving.CancelAsync();
        leaving.Token.ThrowIfCancellationRequested();
    }

    private sealed class Owner : IAsyncDisposable
    {
        public int Disposals { get; private set; }

        public ValueTask DisposeAsync()
        {
            Disposals++;
            return ValueTask.CompletedTask;
        }
    }
}
