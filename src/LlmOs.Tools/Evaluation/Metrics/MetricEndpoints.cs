using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary><c>/api/v1/metrics</c>.</summary>
internal static class MetricEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        var metrics = routes.MapGroup("/api/v1/metrics").WithTags("Metrics");
        metrics.MapGet("/", List)
            .RequireScope(Scopes.Inference, Scopes.Read)
            .WithName("ListMetrics")
            .WithSummary("Lists the metrics with their options.");
        metrics.MapPost("/{metric}", ScoreAsync)
            .RequireScope(Scopes.Inference, Scopes.Read)
            .WithName("ScoreTexts")
            .WithSummary("Scores texts against references; at most 10,000 rows.")
            .WithDescription("The score is that of all rows, `scores` are those of each row. An option that the metric does not have is refused by its name.")
            .WithRequestExample("""{"predictions":["the cat sat"],"references":[["the cat sat down"]],"options":{}}""")
            .ProducesProblem(400)
            .ProducesProblem(404);
    }

    private static Ok<Page<MetricView>> List() => TypedResults.Ok(new Page<MetricView>([.. MetricRegistry.All.Select(MetricRun.Describe)], null));

    private static async Task<Ok<MetricReply>> ScoreAsync(string metric, MetricRequest request, MetricRun run, CancellationToken cancel) =>
        TypedResults.Ok(await run.ScoreAsync(metric, request, cancel));
}
