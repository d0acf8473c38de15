using System.Diagnostics;

namespace LlmOs.Server.InProcess;

/// <summary>Who an in-process request speaks for; only code of this process can put it on a request.</summary>
/// <param name="KeyId">The key that the person signed in with, or the user; null: nobody is signed in.</param>
/// <param name="Stamp">Of a user, as the session holds it.</param>
/// <param name="Session">The session's id.</param>
internal sealed record InProcessCaller(string? KeyId, string? Stamp, string? Session);

/// <summary>
/// The way of a request, entered from within: the console's calls pass the same checks, the same metering and the same log
/// as a request from outside, without a socket.
/// </summary>
internal sealed class InProcessPipeline(IHttpContextFactory contexts)
{
    private RequestDelegate? _pipeline;

    /// <summary>Remembers everything that is added to the pipeline after this. Add it first.</summary>
    public void TakeFrom(IApplicationBuilder app) => app.Use(next => _pipeline = next);

    /// <summary>Runs one exchange to its end.</summary>
    public async Task RunAsync(InProcessExchange exchange)
    {
        var pipeline = _pipeline ?? throw new InvalidOperationException("The server has not been built yet.");
        Activity.Current = null; // A request of its own, not a part of the page that makes it.
        var context = contexts.Create(exchange.Features);
        try
        {
            await pipeline(context);
            await exchange.CompleteAsync();
        }
        catch (Exception e)
        {
            exchange.Fail(e);
        }
        finally
        {
            contexts.Dispose(context);
            exchange.Dispose();
        }
    }
}
