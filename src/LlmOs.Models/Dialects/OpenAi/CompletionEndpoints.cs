using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

internal static class CompletionEndpoints
{
    public static void MapCompletions(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/completions", Create)
            .WithName("CreateCompletion")
            .WithSummary("Continues a prompt.")
            .WithDescription(
                "The prompt is a text, a list of texts, token ids or lists of token ids. With `stream` the answer comes as server-sent events. "
                + "`echo` with `max_tokens` 0 and `logprobs` scores the prompt itself.")
            .WithRequestExample("""{"model":"starter","prompt":"Once upon a time","max_tokens":32,"temperature":0.8,"seed":1}""")
            .Answers<Completion>();
    }

    /// <summary>The same for the model that the path names.</summary>
    public static void MapCompletionsOfModel(this IEndpointRouteBuilder routes) => routes.MapPost("/v1/completions", CreateFor).ExcludeFromDescription();

    private static Task<IResult> CreateFor(CompletionRequest request, HttpContext http, IGenerationService generation, TimeProvider clock, CancellationToken cancel) =>
        Create(request with { Model = ModelRoutes.NameOf(http) }, http, generation, clock, cancel);

    private static async Task<IResult> Create(CompletionRequest request, HttpContext http, IGenerationService generation, TimeProvider clock, CancellationToken cancel)
    {
        CompletionPlan.CheckShape(request);
        var model = await generation.FindAsync(GenerationRules.WithAdapter(request.Model, request.Adapter, "adapter"), ModelNeed.Writing, "model", cancel);
        AnswerHeaders.Version(http.Response, model);
        var plan = CompletionPlan.From(request, model.Vocabulary);
        AnswerHeaders.Warn(http.Response, request.Unknown);

        var run = await generation.WriteAsync(plan.ToOrder(model), GenerationCaller.Of(http.User), cancel);
        var answer = new CompletionAnswer(new AnswerHead(Ids.New("cmpl-"), clock.GetUtcNow().ToUnixTimeSeconds(), request.Model!), run, plan);
        if (plan.Stream)
        {
            return new EventStream(answer.Chunks(http.RequestAborted), run);
        }

        await using (run)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(answer.WholeAsync(cancel)));
        }
    }
}
