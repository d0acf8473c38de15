using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Server.Tests.Http;

/// <summary>The server itself checks its endpoints by these rules when it starts, so each test that starts one proves that they hold.</summary>
public class EndpointRulesTests
{
    [Fact]
    public void An_endpoint_that_does_not_say_who_may_call_it_is_named()
    {
        var faults = FaultsOf(app =>
        {
            app.MapGet("/forgotten", () => "");
            app.MapGet("/open", () => "").AllowAnonymous();
            app.MapGet("/closed", () => "").RequireScope(Scopes.Read);
        });

        Assert.Contains("/forgotten", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_of_the_api_takes_its_scope_from_its_dialect_and_method()
    {
        var app = Build(app =>
        {
            var api = app.MapApiGroup();
            api.MapGet("/api/get", () => "");
            api.MapPost("/api/post", () => "");
            api.MapMethods("/api/both", ["GET", "POST"], () => "");
            api.MapPost("/api/own", () => "").RequireScope(Scopes.Read);
            var spoken = api.MapDialect<Spoken>();
            spoken.MapGet("/spoken/get", () => "");
            spoken.MapPost("/spoken/post", () => "");
        });

        Assert.Equal(
            [("/api/both", "admin"), ("/api/get", "read"), ("/api/own", "read"), ("/api/post", "admin"), ("/spoken/get", "inference"), ("/spoken/post", "inference")],
            Endpoints(app).Select(e => (e.RoutePattern.RawText!, e.Metadata.GetMetadata<ScopeRule>()!.AnyOf.Single())).Order());
        Assert.Empty(EndpointRules.Faults(Endpoints(app), app.Services.GetRequiredService<KnownDialects>()));
    }

    [Fact]
    public void An_endpoint_that_lies_outside_the_paths_of_its_dialect_is_named()
    {
        var faults = FaultsOf(app => app.MapApiGroup().MapDialect<Spoken>().MapGet("/elsewhere", () => ""));

        Assert.Contains("/elsewhere", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_of_the_platform_under_a_dialect_s_path_is_named()
    {
        var faults = FaultsOf(app =>
        {
            app.MapApiGroup().MapDialect<Spoken>();
            app.MapApiGroup().MapGet("/Spoken/of-the-platform", () => "");
        });

        Assert.Contains("of-the-platform", Assert.Single(faults), StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> FaultsOf(Action<WebApplication> map)
    {
        var app = Build(map);
        return [.. EndpointRules.Faults(Endpoints(app), app.Services.GetRequiredService<KnownDialects>())];
    }

    private static IEnumerable<RouteEndpoint> Endpoints(WebApplication app) =>
        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    private static WebApplication Build(Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<KnownDialects>();
        var app = builder.Build();
        map(app);
        return app;
    }

    private sealed class Spoken : IDialect
    {
        public string Name => "spoken";

        public IReadOnlyList<PathString> Prefixes { get; } = ["/spoken"];

        public StreamFraming Framing { get; } = new NdJson();

        public DialectError ErrorOf(LlmOs.Infrastructure.LlmOsException refusal, string requestId) => new(400, "application/json", new { });
    }
}
