using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.OpenAi;
using LlmOs.Models.Registry;
using LlmOs.Models.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Pipelines;

/// <summary>Hugging Face's pipelines over HTTP: by task, or by a model whose task is known.</summary>
internal static class PipelineEndpoints
{
    private const string Example = """{"inputs":"The meaning of life is","parameters":{"max_new_tokens":32}}""";

    /// <summary>The tasks that are served.</summary>
    private static readonly string[] Tasks = [ModelIntake.TextGeneration];

    public static void MapPipelines(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/pipeline/{task}", Run)
            .WithName("RunPipeline")
            .WithSummary("Runs a task as Hugging Face's pipeline does.")
            .WithDescription("Task `text-generation`: `inputs` is a text, a list of texts, a conversation or a list of those; arguments have transformers' names. A list in gives a list out.")
            .WithRequestExample(Example)
            .Answers<IReadOnlyList<GeneratedText>>();
        routes.MapPost("/models/{model}", RunModel)
            .WithName("RunModelPipeline")
            .WithSummary("Runs the task that a model is for.")
            .WithDescription("The same as `/pipeline/{task}`; the task is the model's own. A slash in the name comes as `%2F` or as itself.")
            .WithRequestExample(Example)
            .Answers<IReadOnlyList<GeneratedText>>();
        routes.MapPost("/models/{owner}/{model}", RunModel).ExcludeFromDescription();
    }

    private static Task<IResult> Run(
        string task, PipelineRequest request, HttpContext http, InferenceGate gate, IOptions<ServingOptions> options, CancellationToken cancel)
    {
        if (!Tasks.Contains(task))
        {
            throw new LlmOsException(ErrorCode.NotFound, $"There is no pipeline for the task '{(task.Length > 100 ? task[..100] : task)}'; there is {string.Join(", ", Tasks)}.") { Field = "task" };
        }

        return GenerateAsync(request, request.Model ?? options.Value.PipelineModel, http, gate, cancel);
    }

    private static Task<IResult> RunModel(PipelineRequest request, HttpContext http, InferenceGate gate, CancellationToken cancel) =>
        GenerateAsync(request, ModelRoutes.NameOf(http), http, gate, cancel);

    private static async Task<IResult> GenerateAsync(PipelineRequest request, string name, HttpContext http, InferenceGate gate, CancellationToken cancel)
    {
        var inputs = TextGenerationPlan.ReadInputs(request.Inputs);
        var model = await gate.FindGeneratorAsync(name, http.Response, cancel);
        var plan = TextGenerationPlan.From(request, inputs);
        AnswerHeaders.Warn(http.Response, request.Unknown, [.. AnswerHeaders.NamesOf(request.Parameters?.Unknown), .. plan.Unused]);

        var run = await gate.StartAsync(model, plan.Order, loaded => plan.Encode(loaded, cancel), cancel);
        var answer = new TextGenerationAnswer(run, plan);
        if (plan.Stream)
        {
            return new EventStream(answer.Events(http.RequestAborted), run, done: false);
        }

        using (run)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(answer.WholeAsync(cancel)));
        }
    }
}
