using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>What a tier writes to have a kind of job: one line for the kind, one for its own route.</summary>
public static class JobKindRegistration
{
    /// <summary>Makes the job loop run jobs of this kind, and <c>POST /api/v1/jobs</c> take them.</summary>
    public static IServiceCollection AddJobKind<TKind>(this IServiceCollection services)
        where TKind : JobKind
    {
        services.AddSingleton<TKind>();
        return services.AddSingleton<JobKind>(provider => provider.GetRequiredService<TKind>());
    }

    /// <summary>Maps the kind's own route: it takes the request alone, and answers 202 with the job.</summary>
    public static RouteHandlerBuilder MapJobKind<TKind, TRequest>(this IEndpointRouteBuilder routes, string pattern)
        where TKind : JobKind<TRequest>
        where TRequest : class =>
        routes.MapPost(pattern, async Task<Accepted<JobAccepted>> (TRequest request, [FromServices] TKind kind, [FromServices] JobQueue queue, CancellationToken cancel) =>
                Accepted(await queue.SubmitAsync(kind, request, cancel)))
            .Produces<JobAccepted>(202)
            .ProducesProblem(400)
            .ProducesProblem(403);

    internal static Accepted<JobAccepted> Accepted(JobView job) => TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
}
