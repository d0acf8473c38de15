using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models.Tests.Dialects.OpenAi;

public class EventStreamTests
{
    [Fact]
    public async Task Items_are_written_one_by_one_and_the_end_is_said()
    {
        var (body, owner) = await WriteAsync(Items(new { a = 1 }, "text"));

        Assert.Equal("data: {\"a\":1}\n\ndata: \"text\"\n\ndata: [DONE]\n\n", body);
        Assert.Equal(1, owner.Disposals);
    }

    [Fact]
    public async Task A_refusal_on_the_way_is_an_error_event_and_no_end()
    {
        var (body, owner) = await WriteAsync(Failing(new LlmOsException(ErrorCode.Overloaded, "Too much.")));

        Assert.StartsWith("data: \"first\"\n\nevent: error\ndata: {\"error\":{\"message\":\"Too much.\"", body, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"overloaded\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", body, StringComparison.Ordinal);
        Assert.Equal(1, owner.Disposals);
    }

    [Fact]
    public async Task A_closed_engine_is_told_as_a_server_that_is_not_available()
    {
        var (body, _) = await WriteAsync(Failing(new EngineClosedException("closed")));

        Assert.Contains("\"code\":\"unavailable\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bug_on_the_way_tells_nothing_of_its_insides()
    {
        var (body, _) = await WriteAsync(Failing(new InvalidOperationException("secret path /x/y")));

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

        await EventStreams.Of(Leaves(leaving), owner).ExecuteAsync(http);

        Assert.Equal(1, owner.Disposals);
        Assert.Equal("data: \"first\"\n\n", Text(http));
    }

    private static async Task<(string Body, Owner Owner)> WriteAsync(IAsyncEnumerable<object> items)
    {
        var owner = new Owner();
        var http = Context();

        await EventStreams.Of(items, owner).ExecuteAsync(http);

        Assert.Equal("text/event-stream", http.Response.ContentType);
        return (Text(http), owner);
    }

    [Fact]
    public async Task While_there_is_nothing_to_say_the_stream_says_that_it_is_there()
    {
        var timers = new ManualTimers();
        var http = Context(timers);
        var item = new TaskCompletionSource<object>();
        var stream = EventStreams.Of(One(item.Task), new Owner()).ExecuteAsync(http);

        Assert.Equal(TimeSpan.FromSeconds(1), await timers.FireNextAsync());
        Assert.Equal(TimeSpan.FromSeconds(15), await timers.FireNextAsync());
        await timers.NextAsync(); // it waits again, so both have been written
        item.SetResult("late");
        await stream;

        Assert.Equal(":\n\n:\n\ndata: \"late\"\n\ndata: [DONE]\n\n", Text(http));
    }

    [Fact]
    public async Task A_stream_that_is_cut_off_ends_with_the_documented_error()
    {
        var http = Context();
        var drain = http.RequestServices.GetRequiredService<HostDrain>();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(drain.CutOff);
        http.RequestAborted = cut.Token;
        var stream = EventStreams.Of(Endless(http.RequestAborted), new Owner()).ExecuteAsync(http);

        drain.BeginCutOff();
        await stream;

        Assert.StartsWith("data: \"first\"\n\nevent: error\ndata: {\"error\":{\"message\":\"The server is stopping.", Text(http), StringComparison.Ordinal);
        Assert.Contains("\"code\":\"unavailable\"", Text(http), StringComparison.Ordinal);
    }

    private static async IAsyncEnumerable<object> Endless([EnumeratorCancellation] CancellationToken cancel)
    {
        yield return "first";
        await Task.Delay(Timeout.Infinite, cancel);
    }

    private static async IAsyncEnumerable<object> One(Task<object> item)
    {
        yield return await item;
    }

    private static DefaultHttpContext Context(TimeProvider? clock = null)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(clock ?? TimeProvider.System).AddSingleton<IKnownFaults, EngineFaults>().AddSingleton<HostDrain>().AddOptions();
        services.AddOptions<StreamOptions>();
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

    /// <summary>Timers that fire when the test says so.</summary>
    private sealed class ManualTimers : TimeProvider
    {
        private readonly Channel<(TimeSpan Due, Action Fire)> _made = Channel.CreateUnbounded<(TimeSpan, Action)>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _made.Writer.TryWrite((dueTime, () => callback(state)));
            return new Timer();
        }

        public async Task<(TimeSpan Due, Action Fire)> NextAsync() => await _made.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public async Task<TimeSpan> FireNextAsync()
        {
            var (due, fire) = await NextAsync();
            fire();
            return due;
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
