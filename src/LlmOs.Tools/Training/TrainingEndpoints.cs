using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Training;

/// <summary><c>/api/v1/training</c>.</summary>
internal static class TrainingEndpoints
{
    public static void MapTraining(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/training", Train)
            .WithTags("Training")
            .WithName("Train")
            .WithSummary("Trains a model from a text; answers with the job that does it.")
            .WithRequestExample("""{"name":"my-model","text":"file:/home/me/.llmos/import/tales.txt","tokenizer":{"train":"bpe","vocabulary":512},"architecture":{"type":"llama","layers":2,"hidden":64,"heads":4,"kv_heads":2,"intermediate":128,"context":64},"budget":{"steps":60},"batch_tokens":1024,"learning_rate":0.003,"seed":1}""")
            .Produces<JobAccepted>(202)
            .ProducesProblem(400)
            .ProducesProblem(403)
            .ProducesProblem(404)
            .ProducesProblem(501);

    private static async Task<Accepted<JobAccepted>> Train(
        TrainingRequest request,
        LlmOsDb db,
        ArtifactStore store,
        DataFolder folder,
        LlmOsSettings settings,
        JobQueue jobs,
        CancellationToken cancel)
    {
        // What is wrong is said now, not by a job that fails.
        await TrainingSources.FindAsync(request, db, store, settings, folder.Scratch, cancel);
        TrainerLocator.Find(settings);
        var job = await jobs.SubmitAsync(TrainingRunner.JobKind, request, cancel);
        return TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
    }
}
