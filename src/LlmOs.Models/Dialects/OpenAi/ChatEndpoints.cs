using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

internal static class ChatEndpoints
{
    public static void MapChat(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", Create)
            .WithName("CreateChatCompletion")
            .WithSummary("Answers a conversation.")
            .WithDescription(
                "The model's own chat template turns the messages into its prompt; a model without one continues the messages' texts. "
                + "With `stream` the answer comes as server-sent events.")
            .WithRequestExample("""{"model":"starter","messages":[{"role":"user","content":"Once upon a time"}],"max_tokens":32,"temperature":0.8,"seed":1}""")
            .Answers<ChatCompletion>();
    }

    /// <summary>The same for the model that the path names.</summary>
    public static void MapChatOfModel(this IEndpointRouteBuilder routes) => routes.MapPost("/v1/chat/completions", CreateFor).ExcludeFromDescription();

    private static Task<IResult> CreateFor(ChatRequest request, HttpContext http, IGenerationService generation, TimeProvider clock, CancellationToken cancel) =>
        Create(request with { Model = ModelRoutes.NameOf(http) }, http, generation, clock, cancel);

    private static async Task<IResult> Create(ChatRequest request, HttpContext http, IGenerationService generation, TimeProvider clock, CancellationToken cancel)
    {
        ChatPlan.CheckShape(request);
        var model = await generation.FindAsync(GenerationRules.WithAdapter(request.Model, request.Adapter, "adapter"), ModelNeed.Writing, "model", cancel);
        AnswerHeaders.Version(http.Response, model);
        var plan = ChatPlan.From(request, model.Vocabulary);

        var run = await generation.WriteAsync(plan.ToOrder(model), GenerationCaller.Of(http.User), cancel);
        AnswerHeaders.Warn(http.Response, request.Unknown, plan.Conversation is { Tools: not null, Template: null } && !run.KnowsTools ? ["tools"] : []);
        var answer = new ChatAnswer(new AnswerHead(Ids.New("chatcmpl-"), clock.GetUtcNow().ToUnixTimeSeconds(), request.Model!), run, plan);
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
