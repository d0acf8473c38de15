using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Tools.Tokenizers;

/// <summary><c>/api/v1/tokenizers/train</c>.</summary>
internal static class TokenizerTrainingEndpoints
{
    public static void MapTokenizerTraining(this IEndpointRouteBuilder routes) =>
        routes.MapJobKind<TokenizerKind, TokenizerTrainingRequest>("/api/v1/tokenizers/train")
            .WithTags("Tokenizers")
            .WithName("TrainTokenizer")
            .WithSummary("Learns a tokenizer from a text; answers with the job that does it.")
            .WithDescription("The job's result holds the kind, the vocabulary, the fertility (tokens per word) and the coverage (share of the characters that are known), measured on the text.")
            .WithRequestExample("""{"name":"my-tokenizer","text":"file:/home/me/.llmos/import/tales.txt","train":"unigram","vocabulary":8192}""");
}
