using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Tokenizers;

/// <summary><c>/api/v1/tokenizers/train</c>.</summary>
internal static class TokenizerTrainingEndpoints
{
    public static void MapTokenizerTraining(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/tokenizers/train", Train)
            .WithTags("Tokenizers")
            .WithName("TrainTokenizer")
            .WithSummary("Learns a tokenizer from a text; answers with the job that does it.")
            .WithDescription("The job's result holds the kind, the vocabulary, the fertility (tokens per word) and the coverage (share of the characters that are known), measured on the text.")
            .WithRequestExample("""{"name":"my-tokenizer","text":"file:/home/me/.llmos/import/tales.txt","train":"unigram","vocabulary":8192}""")
            .Produces<JobAccepted>(202)
            .ProducesProblem(400)
            .ProducesProblem(403);

    private static async Task<Accepted<JobAccepted>> Train(TokenizerTrainingRequest request, LlmOsSettings settings, JobQueue jobs, CancellationToken cancel)
    {
        var job = await jobs.SubmitAsync(TokenizerRunner.JobKind, TokenizerJobSpec.Check(request, settings), cancel);
        return TypedResults.Accepted($"/api/v1/jobs/{job.Id}", new JobAccepted(job));
    }
}
