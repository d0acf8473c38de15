using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Training;

/// <summary><c>/api/v1/training</c>.</summary>
internal static class TrainingEndpoints
{
    public static void MapTraining(this IEndpointRouteBuilder routes) =>
        routes.MapJobKind<TrainingKind, TrainingRequest>("/api/v1/training")
            .WithTags("Training")
            .WithName("Train")
            .WithSummary("Trains a model from a text; answers with the job that does it.")
            .WithRequestExample("""{"name":"my-model","text":"file:/home/me/.llmos/import/tales.txt","tokenizer":{"train":"bpe","vocabulary":512},"architecture":{"type":"llama","layers":2,"hidden":64,"heads":4,"kv_heads":2,"intermediate":128,"context":64},"budget":{"steps":60},"batch_tokens":1024,"learning_rate":0.003,"seed":1}""")
            .ProducesProblem(404)
            .ProducesProblem(501);
}
