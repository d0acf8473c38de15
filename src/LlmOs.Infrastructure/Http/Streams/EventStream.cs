using System.Buffers;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http.Dialects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Http.Streams;

/// <summary>
/// An answer that comes piece by piece, framed as its dialect frames it. What fails on the way is told in the dialect's
/// words. A reader who takes nothing for too long loses the connection, so that he holds no slot.
/// </summary>
/// <param name="items">Each is written by its own type.</param>
/// <param name="owner">Given back at the end, whatever happened.</param>
/// <param name="dialect">Null: the endpoint's own.</param>
public sealed partial class EventStream(IAsyncEnumerable<object> items, IAsyncDisposable? owner = null, IDialect? dialect = null) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using var ended = owner;
        var http = httpContext;
        var services = http.RequestServices;
        var spoken = dialect ?? services.GetRequiredService<KnownDialects>().Of(http);
        var log = services.GetRequiredService<ILogger<EventStream>>();
        var drain = services.GetRequiredService<HostDrain>();
        var wire = new Wire(http, services.GetRequiredService<IOptions<StreamOptions>>().Value, services.GetRequiredService<TimeProvider>());
        http.Response.ContentType = spoken.Framing.ContentType;
        http.Response.Headers.CacheControl = "no-cache";
        // Proxies that buffer would hold the tokens back.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await wire.WriteAllAsync(items, spoken.Framing);
        }
        catch (OperationCanceledException) when (drain.IsCutOff)
        {
            await wire.WriteErrorAsync(spoken, HostDrain.Refusal());
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has left; leaving the enumeration stopped the generation.
        }
        catch (SlowReaderException slow)
        {
            LogStalled(log, slow.Seconds);
            http.Abort();
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            await wire.WriteErrorAsync(spoken, Describe(fault, services, log));
        }
    }

    private static LlmOsException Describe(Exception fault, IServiceProvider services, ILogger log)
    {
        if (services.GetServices<IKnownFaults>().AsRefusal(fault) is { } refusal)
        {
            return refusal;
        }

        LogFailed(log, fault);
        return new LlmOsException(ErrorCode.InternalError, "The server failed while it generated the answer.", fault)
        {
            Hint = "The request's id (header x-request-id) finds the fault in the server's log.",
        };
    }

    [LoggerMessage(LogLevel.Warning, "A stream was given up: its reader took nothing for {Seconds} s")]
    private static partial void LogStalled(ILogger log, double seconds);

    [LoggerMessage(LogLevel.Error, "A stream failed")]
    private static partial void LogFailed(ILogger log, Exception fault);

    /// <summary>The response's body, with a limit to how long its reader may take.</summary>
    private sealed class Wire(HttpContext http, StreamOptions options, TimeProvider clock)
    {
        /// <summary>How long the answer's beginning waits for its first item: until then a refusal is still told by a status.</summary>
        private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

        private readonly ArrayBufferWriter<byte> _buffer = new(1024);
        private readonly TimeSpan _limit = TimeSpan.FromSeconds(options.StreamWriteSeconds);
        private readonly TimeSpan _keepAlive = TimeSpan.FromSeconds(options.StreamKeepAliveSeconds);
        private bool _begun;

        public async Task WriteAllAsync(IAsyncEnumerable<object> items, StreamFraming framing)
        {
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            await using var reader = items.GetAsyncEnumerator(leaving.Token);
            while (await NextAsync(reader, framing, leaving))
            {
                await WriteAsync(buffer => framing.WriteItem(buffer, reader.Current));
            }

            if (!framing.Closing.IsEmpty)
            {
                await WriteAsync(framing.Closing, http.RequestAborted);
            }
        }

        public Task WriteAsync(Action<IBufferWriter<byte>> write)
        {
            _buffer.ResetWrittenCount();
            write(_buffer);
            return WriteAsync(_buffer.WrittenMemory, http.RequestAborted);
        }

        /// <summary>The last words of a stream, also when its request has been cancelled; nobody hears them where the client has left.</summary>
        public Task WriteErrorAsync(IDialect dialect, LlmOsException refusal)
        {
            var error = dialect.ErrorOf(refusal, http.TraceIdentifier).Body;
            _buffer.ResetWrittenCount();
            dialect.Framing.WriteError(_buffer, error);
            return WriteAsync(_buffer.WrittenMemory, CancellationToken.None);
        }

        /// <summary>Waits for the next item and lets the reader know meanwhile that the stream is alive.</summary>
        private async Task<bool> NextAsync(IAsyncEnumerator<object> reader, StreamFraming framing, CancellationTokenSource leaving)
        {
            var next = reader.MoveNextAsync();
            if (next.IsCompleted)
            {
                return await next;
            }

            var item = next.AsTask();
            try
            {
                while (!await IsThereAsync(item))
                {
                    await WriteAsync(framing.KeepAlive, http.RequestAborted); // where it is empty, the headers alone
                }
            }
            catch when (!item.IsCompleted)
            {
                // An enumeration must not be left while it is looking for its next item.
                await leaving.CancelAsync();
                await item.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw;
            }

            return await item;
        }

        /// <summary>False when the item has not come for so long that something should be said.</summary>
        private async Task<bool> IsThereAsync(Task item)
        {
            using var waiting = new CancellationTokenSource();
            var wait = _begun ? _keepAlive : FirstWait;
            var there = await Task.WhenAny(item, Task.Delay(wait, clock, waiting.Token)) == item;
            await waiting.CancelAsync();
            return there;
        }

        private async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            _begun = true;
            try
            {
                await http.Response.BodyWriter.WriteAsync(bytes, cancel).AsTask().WaitAsync(_limit, clock, cancel);
            }
            catch (TimeoutException)
            {
                throw new SlowReaderException(_limit.TotalSeconds);
            }
        }
    }

    private sealed class SlowReaderException(double seconds) : Exception
    {
        public double Seconds => seconds;
    }
}
