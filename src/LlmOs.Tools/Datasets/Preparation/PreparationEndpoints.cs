using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary><c>/api/v1/preparations</c>.</summary>
internal static class PreparationEndpoints
{
    public static void MapPreparations(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/preparations", Prepare).WithTags("Data sets").WithName("PrepareDataset")
            .WithSummary("Takes a version through steps and stores what is left as a new one; answers with the job, or with preview at once.")
            .WithRequestExample("""{"dataset":"banking77:1","name":"clean","steps":[{"step":"normalize"},{"step":"near_duplicates","threshold":0.8},{"step":"split","train":0.9,"test":0.1}],"preview":0}""")
            .Produces<PreparationResult>()
            .Produces<JobAccepted>(202)
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);

    private static async Task<IResult> Prepare(PreparationRequest request, [FromServices] PreparationKind kind, JobQueue queue, CancellationToken cancel)
    {
        if (request.Preview is > 0 and var rows)
        {
            return TypedResults.Ok(await kind.PreviewAsync(request, rows, cancel));
        }

        var job = await queue.SubmitAsync(kind, request, cancel);
        return TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
    }
}
