using LlmOs.Infrastructure.Access;
using LlmOs.Models.Loading;
using OpenTelemetry.Metrics;

namespace LlmOs.Server.Http;

/// <summary><c>/metrics</c>: what the server does, for Prometheus (docs/monitoring.md).</summary>
internal static class MetricsSetup
{
    /// <summary>Requests by route and status, and the runtime's memory and collections: .NET counts these itself.</summary>
    private static readonly string[] Others = ["Microsoft.AspNetCore.Hosting", "System.Runtime"];

    public static void AddMetricsExport(this IServiceCollection services) =>
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(ServingMeter.Name)
            .AddMeter(Others)
            .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));

    public static void MapMetrics(this IEndpointRouteBuilder routes) =>
        routes.MapPrometheusScrapingEndpoint("/metrics").RequireScope(Scopes.Read);
}
