using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Dialects.HuggingFace;

/// <summary>Hugging Face's pipelines over HTTP: by task, or by a model whose task is known.</summary>
internal static class PipelineEndpoints
{
    private const string Description = """
        Arguments have transformers' names. A list in gives a list out, also for one input. There is an example for each task.
        `text-generation` also takes a conversation or a list of those; `top_k` null gives all labels; a pair of texts is
        `{"text":"...","text_pair":"..."}`. Without `model` the task's only model is taken.
        """;

    /// <summary>A body for each task; those that generate by an encoder-decoder take the same.</summary>
    private static readonly (string Task, string Json)[] Examples =
    [
        ("text-generation", """{"inputs":"The meaning of life is","parameters":{"max_new_tokens":32}}"""),
        ("text2text-generation", """{"inputs":"The house is very old.","parameters":{"max_new_tokens":32}}"""),
        ("summarization", """{"inputs":"The king was angry, and the people were poor.","parameters":{"num_beams":4,"max_new_tokens":32}}"""),
        ("translation", """{"inputs":"The house is very old.","parameters":{"num_beams":4,"max_new_tokens":32}}"""),
        .. EncoderPipeline.All.Select(pipeline => (pipeline.Task, pipeline.Example)),
    ];

    public static void MapPipelines(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/pipeline/{task}", Run)
            .WithName("RunPipeline")
            .WithSummary("Runs a task as Hugging Face's pipeline does.")
            .WithDescription(Description)
            .WithRequestExamples(Examples)
            .Answers<IReadOnlyList<GeneratedText>>();
        routes.MapPost("/models/{model}", RunModel)
            .WithName("RunModelPipeline")
            .WithSummary("Runs the task that a model is for.")
            .WithDescription("The same as `/pipeline/{task}`; the task is the model's own. A slash in the name comes as `%2F` or as itself.")
            .WithRequestExamples(Examples)
            .Answers<IReadOnlyList<GeneratedText>>();
        routes.MapPost("/models/{owner}/{model}", RunModel).ExcludeFromDescription();
    }

    private static async Task<IResult> Run(
        string task, PipelineRequest request, HttpContext http, Pipelines pipelines, IGenerationService generation, IOptions<ServingOptions> options, CancellationToken cancel)
    {
        if (!Pipelines.IsTask(task))
        {
            throw new LlmOsException(ErrorCode.NotFound, $"There is no pipeline for the task '{(task.Length > 100 ? task[..100] : task)}'; there is {string.Join(", ", Pipelines.Tasks)}.") { Field = "task" };
        }

        var model = request.Model ?? (task == ModelIntake.TextGeneration ? options.Value.PipelineModel : await pipelines.DefaultAsync(task, cancel));
        return await AnswerAsync(task, model, request, http, pipelines, generation, cancel);
    }

    private static async Task<IResult> RunModel(PipelineRequest request, HttpContext http, Pipelines pipelines, IGenerationService generation, CancellationToken cancel)
    {
        var name = ModelRoutes.NameOf(http);
        var model = await generation.FindAsync(name, ModelNeed.Any, "model", cancel);
        return await AnswerAsync(Pipelines.TaskOf(model, request), name, request, http, pipelines, generation, cancel);
    }

    private static async Task<IResult> AnswerAsync(
        string task, string name, PipelineRequest request, HttpContext http, Pipelines pipelines, IGenerationService generation, CancellationToken cancel)
    {
        var writesText = task == ModelIntake.TextGeneration;
        if (request.Stream == true && !writesText)
        {
            throw LlmOsException.Invalid("stream", $"'stream' is for {ModelIntake.TextGeneration}.");
        }

        var inputs = writesText ? TextGenerationPlan.ReadInputs(request.Inputs) : default;
        var wanted = writesText ? GenerationRules.WithAdapter(name, request.Parameters?.AdapterId, "parameters.adapter_id") : name;
        var model = await generation.FindAsync(wanted, Pipelines.NeedOf(task), "model", cancel);
        AnswerHeaders.Version(http.Response, model);
        var plan = writesText ? TextGenerationPlan.From(request, inputs, model, await pipelines.SamplesAsync(model, cancel)) : null;
        AnswerHeaders.Warn(http.Response, request.Unknown, [.. AnswerHeaders.NamesOf(new StatedArguments(request.Parameters).Unknown), .. plan?.Unused ?? []]);
        var caller = GenerationCaller.Of(http.User);
        if (plan is null)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(pipelines.RunAsync(task, model, request, caller, cancel)));
        }

        var run = await pipelines.WriteAsync(model, plan, caller, cancel);
        var answer = new TextGenerationAnswer(run, plan);
        if (plan.Stream)
        {
            return new EventStream(answer.Events(http.RequestAborted), run);
        }

        await using (run)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(answer.WholeAsync(cancel)));
        }
    }
}
