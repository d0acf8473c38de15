using System.Collections.Concurrent;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LlmOs.Cli.Tests;

/// <summary>An HTTP server on a free port that answers what a test tells it to, in the platform's JSON, and notes what it was asked.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LoopbackServer(WebApplication app) => _app = app;

    /// <summary>Requests in their order: method, path with query, authorization header, body.</summary>
    public ConcurrentQueue<Seen> Requests { get; } = new();

    public string Address => _app.Urls.Single();

    public static async Task<LoopbackServer> StartAsync(Action<WebApplication> routes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.Configure<JsonOptions>(json => LlmOsJson.Apply(json.SerializerOptions));
        var app = builder.Build();
        var server = new LoopbackServer(app);
        app.Use(server.NoteAsync);
        routes(app);
        await app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task NoteAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        var body = await new StreamReader(context.Request.Body, leaveOpen: true).ReadToEndAsync();
        context.Request.Body.Position = 0;
        Requests.Enqueue(new Seen(context.Request.Method, context.Request.Path + context.Request.QueryString, context.Request.Headers.Authorization.ToString(), body));
        await next(context);
    }

    internal sealed record Seen(string Method, string Path, string Authorization, string Body);
}
