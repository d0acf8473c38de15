using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Server.Http;

/// <summary>What orchestrators ask; open to everybody, so without details.</summary>
internal static class Health
{
    public static bool IsProbe(PathString path) => path == "/healthz" || path == "/readyz";

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => TypedResults.Ok(new HealthReply("alive", [])))
            .WithName("Alive").WithTags("Operations").WithSummary("200 while the process answers.").AllowAnonymous();
        routes.MapGet("/readyz", ReadyAsync)
            .WithName("Ready").WithTags("Operations").WithSummary("200 when work can be taken, else 503 with the reasons.")
            .Produces<HealthReply>(503).AllowAnonymous();
    }

    private static async Task<Results<Ok<HealthReply>, JsonHttpResult<HealthReply>>> ReadyAsync(
        IEnumerable<IReadinessCheck> checks,
        HostDrain drain,
        CancellationToken cancel)
    {
        var reasons = new List<string>();
        if (drain.IsDraining)
        {
            reasons.Add("the server is stopping");
        }

        foreach (var check in checks)
        {
            if (await check.WhyNotAsync(cancel) is { } reason)
            {
                reasons.Add(reason);
            }
        }

        return reasons.Count == 0
            ? TypedResults.Ok(new HealthReply("ready", []))
            : TypedResults.Json(new HealthReply("not ready", reasons), statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}

/// <param name="Reasons">Why not; empty when all is well.</param>
internal sealed record HealthReply(string Status, IReadOnlyList<string> Reasons);

/// <summary>The database answers.</summary>
internal sealed partial class DatabaseReady(IDbContextFactory<LlmOsDb> databases, ILogger<DatabaseReady> log) : IReadinessCheck
{
    public async Task<string?> WhyNotAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            return await db.Database.CanConnectAsync(cancel) ? null : "the database does not answer";
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogUnreachable(e);
            return "the database does not answer";
        }
    }

    [LoggerMessage(LogLevel.Warning, "The database does not answer")]
    private partial void LogUnreachable(Exception cause);
}
