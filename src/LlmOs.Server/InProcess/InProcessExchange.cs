using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace LlmOs.Server.InProcess;

/// <summary>One request and its answer between a client and the pipeline of the same process.</summary>
internal sealed class InProcessExchange : IHttpResponseFeature, IHttpRequestLifetimeFeature, IHttpRequestBodyDetectionFeature, IDisposable
{
    /// <summary>The pipeline waits when the reader is this far behind: the back-pressure that a socket gives.</summary>
    private const int MaxUnreadBytes = 64 << 10;

    private readonly TaskCompletionSource<HttpResponseMessage> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _aborted = new();
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: MaxUnreadBytes, resumeWriterThreshold: MaxUnreadBytes / 2, useSynchronizationContext: false));
    private readonly Stack<(Func<object, Task> Callback, object State)> _onStarting = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _onCompleted = new();
    private readonly StreamResponseBodyFeature _body;
    private readonly HttpRequestMessage _request;
    private CancellationTokenRegistration _end;

    public InProcessExchange(HttpRequestMessage request, Stream content, InProcessCaller caller)
    {
        _request = request;
        RequestAborted = _aborted.Token;
        Body = new ResponseStream(this);
        _body = new StreamResponseBodyFeature(Body);
        CanHaveBody = request.Content is not null;

        Features.Set<IHttpRequestFeature>(RequestFeature(request, content));
        Features.Set<IHttpResponseFeature>(this);
        Features.Set<IHttpResponseBodyFeature>(_body);
        Features.Set<IHttpRequestLifetimeFeature>(this);
        Features.Set<IHttpRequestBodyDetectionFeature>(this);
        Features.Set(caller);
    }

    public FeatureCollection Features { get; } = [];

    /// <summary>The answer, once its headers are there; its content goes on arriving.</summary>
    public Task<HttpResponseMessage> Response => _response.Task;

    public bool CanHaveBody { get; }

    public CancellationToken RequestAborted { get; set; }

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body { get; set; }

    public bool HasStarted { get; private set; }

    public void OnStarting(Func<object, Task> callback, object state) => _onStarting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _onCompleted.Push((callback, state));

    /// <summary>The reader has gone, or the pipeline gives the answer up.</summary>
    public void Abort()
    {
        Cancel();
        Fail(new IOException("The answer was broken off."));
    }

    /// <summary>Aborts when the token fires before the answer is whole.</summary>
    public void EndWith(CancellationToken end) => _end = end.Register(Abort);

    /// <summary>The pipeline has come to its end.</summary>
    public void Dispose()
    {
        _end.Dispose();
        _aborted.Dispose();
    }

    public async Task CompleteAsync()
    {
        await _body.CompleteAsync();
        await StartAsync();
        await _pipe.Writer.CompleteAsync();
        while (_onCompleted.TryPop(out var callback))
        {
            await callback.Callback(callback.State);
        }
    }

    public void Fail(Exception failure)
    {
        if (!_response.TrySetException(new HttpRequestException("The server broke off its answer.", failure)))
        {
            _pipe.Writer.Complete(failure);
        }
    }

    private void Cancel()
    {
        try
        {
            _aborted.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The pipeline was quicker: there is nothing left to stop.
        }
    }

    private async Task StartAsync()
    {
        if (HasStarted)
        {
            return;
        }

        while (_onStarting.TryPop(out var callback))
        {
            await callback.Callback(callback.State);
        }

        HasStarted = true;
        var message = new HttpResponseMessage((HttpStatusCode)StatusCode)
        {
            RequestMessage = _request,
            Content = new StreamContent(new AnswerStream(_pipe.Reader.AsStream(), this)),
        };
        foreach (var (name, values) in Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                message.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        _response.TrySetResult(message);
    }

    private static HttpRequestFeature RequestFeature(HttpRequestMessage request, Stream content)
    {
        var uri = request.RequestUri!;
        var feature = new HttpRequestFeature
        {
            Method = request.Method.Method,
            Scheme = uri.Scheme,
            Protocol = "HTTP/1.1",

            // As the web server does: everything is decoded but a slash within a segment.
            Path = Uri.UnescapeDataString(uri.AbsolutePath.Replace("%2F", "%252F", StringComparison.OrdinalIgnoreCase)),
            QueryString = uri.Query,
            RawTarget = uri.PathAndQuery,
            Body = content,
        };
        foreach (var (name, values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []))
        {
            feature.Headers[name] = new StringValues([.. values]);
        }

        feature.Headers.Host = uri.Authority;
        if (request.Content?.Headers.ContentLength is { } length)
        {
            feature.Headers.ContentLength = length;
        }

        return feature;
    }

    /// <summary>What the pipeline writes to; the first byte sends the headers.</summary>
    private sealed class ResponseStream(InProcessExchange exchange) : Stream
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

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await exchange.StartAsync();
            var flushed = await exchange._pipe.Writer.WriteAsync(buffer, cancellationToken);
            if (flushed.IsCompleted)
            {
                exchange._aborted.Token.ThrowIfCancellationRequested();
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => exchange.StartAsync();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Answers are written asynchronously.");

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>What the client reads; closing it before the end aborts the request.</summary>
    private sealed class AnswerStream(Stream inner, InProcessExchange exchange) : Stream
    {
        private bool _ended;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            _ended |= read == 0 && buffer.Length > 0;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Answers are read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                if (!_ended)
                {
                    exchange.Cancel();
                }

                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
