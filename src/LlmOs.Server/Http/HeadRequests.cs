using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace LlmOs.Server.Http;

/// <summary>
/// Answers HEAD wherever GET is answered: the same work and headers without the body, so that no endpoint has to think of it.
/// A stream, and a body too long to be made for its length alone, is given up as soon as its headers are known.
/// </summary>
internal sealed class HeadRequests(RequestDelegate next)
{
    /// <summary>Bytes of a body that are made only to be counted.</summary>
    private const long MaxCountedBytes = 1 << 20;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        var left = context.RequestAborted;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(left);
        var written = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var dropped = new DroppedBody(context.Response, enough);
        context.RequestAborted = enough.Token;
        context.Features.Set<IHttpResponseBodyFeature>(dropped);
        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (dropped.IsEnough && !left.IsCancellationRequested)
        {
            // The headers are known; the rest is of no use.
        }
        finally
        {
            context.Request.Method = HttpMethods.Head; // before the answer starts, or the web server would wait for a body
            context.Features.Set(written);
            context.RequestAborted = left;
        }

        if (!dropped.IsEnough && dropped.Bytes > 0 && !context.Response.HasStarted)
        {
            context.Response.ContentLength ??= dropped.Bytes;
        }
    }

    /// <summary>Takes a body and keeps its length only.</summary>
    private sealed class DroppedBody : IHttpResponseBodyFeature
    {
        private readonly HttpResponse _response;
        private readonly CancellationTokenSource _enough;

        public DroppedBody(HttpResponse response, CancellationTokenSource enough)
        {
            (_response, _enough) = (response, enough);
            Stream = new Sink(this);
            Writer = PipeWriter.Create(Stream, new StreamPipeWriterOptions(leaveOpen: true));
        }

        public long Bytes { get; private set; }

        public bool IsEnough { get; private set; }

        public Stream Stream { get; }

        public PipeWriter Writer { get; }

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
        {
            Bytes += count ?? (new FileInfo(path).Length - offset);
            return Task.CompletedTask;
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        private void Take(long bytes)
        {
            Bytes += bytes;
            if (!IsEnough && (Bytes > MaxCountedBytes || _response.ContentLength is not null || IsStream))
            {
                IsEnough = true;
                _enough.Cancel();
            }
        }

        private bool IsStream => _response.ContentType is { } type && (type.StartsWith("text/event-stream", StringComparison.Ordinal) || type.StartsWith("application/x-ndjson", StringComparison.Ordinal));

        private sealed class Sink(DroppedBody body) : Stream
        {
            public override bool CanRead => false;

            public override bool CanSeek => false;

            public override bool CanWrite => true;

            public override long Length => throw new NotSupportedException();

            public override long Position
            {
                get => throw new NotSupportedException();
                set => throw new NotSupportedException();
            }

            public override void Write(byte[] buffer, int offset, int count) => body.Take(count);

            public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            {
                body.Take(count);
                return Task.CompletedTask;
            }

            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                body.Take(buffer.Length);
                return ValueTask.CompletedTask;
            }

            public override void Flush()
            {
            }

            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => throw new NotSupportedException();
        }
    }
}
