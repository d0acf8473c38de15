using System.Buffers;
using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>
/// Server-sent events: one <c>data:</c> line for each item, <c>[DONE]</c> at the end if wanted, an <c>error</c> event when
/// something fails on the way. A reader who takes nothing for too long loses the connection, so that he holds no slot.
/// </summary>
/// <param name="events">Written by their own type.</param>
/// <param name="owner">Disposed of at the end, whatever happened.</param>
/// <param name="done">Whether <c>data: [DONE]</c> closes the stream.</param>
internal sealed partial class EventStream(IAsyncEnumerable<object> events, IAsyncDisposable owner, bool done = true) : IResult
{
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    public async Task ExecuteAsync(HttpContext http)
    {
        await using var _ = owner;
        var services = http.RequestServices;
        var log = services.GetRequiredService<ILogger<EventStream>>();
        var limit = TimeSpan.FromSeconds(services.GetRequiredService<IOptions<ServingOptions>>().Value.StreamWriteSeconds);
        var clock = services.GetRequiredService<TimeProvider>();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache";
        // Proxies that buffer would hold the tokens back.
        http.Response.Headers["X-Accel-Buffering"] = "no";

        var line = new ArrayBufferWriter<byte>(1024);
        try
        {
            await foreach (var item in events.WithCancellation(http.RequestAborted))
            {
                line.ResetWrittenCount();
                AppendData(line, item);
                await WriteAsync(line.WrittenMemory);
            }

            if (done)
            {
                await WriteAsync(Done);
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has left; leaving the enumeration stopped the generation.
        }
        catch (TimeoutException)
        {
            LogStalled(log, limit.TotalSeconds);
            http.Abort();
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            var refusal = Describe(fault, log);
            line.ResetWrittenCount();
            line.Write("event: error\n"u8);
            AppendData(line, Refusals.ToOpenAi(refusal));
            await WriteAsync(line.WrittenMemory);
        }

        async Task WriteAsync(ReadOnlyMemory<byte> bytes) =>
            await http.Response.BodyWriter.WriteAsync(bytes, http.RequestAborted).AsTask().WaitAsync(limit, clock, http.RequestAborted);
    }

    private static void AppendData(ArrayBufferWriter<byte> line, object item)
    {
        line.Write("data: "u8);
        if (item is string text)
        {
            line.Write(Encoding.UTF8.GetBytes(text));
        }
        else
        {
            using var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = LlmOsJson.Options.Encoder });
            JsonSerializer.Serialize(json, item, item.GetType(), LlmOsJson.Options);
        }

        line.Write("\n\n"u8);
    }

    private static LlmOsException Describe(Exception fault, ILogger log)
    {
        if (InferenceFaults.AsRefusal(fault) is { } refusal)
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
}
