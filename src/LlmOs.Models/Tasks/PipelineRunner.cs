using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Tasks;

/// <summary>Finds the model of a pipeline's request and hands the request to its task.</summary>
internal sealed class PipelineRunner(ModelCatalogue catalogue, InferenceGate gate, EncoderGate encoders, ModelHost host)
{
    public static IReadOnlyList<string> Tasks { get; } =
        [ModelIntake.TextGeneration, "text2text-generation", "summarization", "translation", .. EncoderPipeline.All.Select(p => p.Task)];

    public static bool IsTask(string task) => Tasks.Contains(task) || Text2Text.IsTask(task);

    /// <summary>The model that a task takes when the request names none: the first one that is for it.</summary>
    public async Task<string> DefaultAsync(string task, CancellationToken cancel)
    {
        var wanted = Text2Text.IsTask(task) ? "text2text-generation"
            : task switch
            {
                "zero-shot-classification" => "text-classification",
                "sentence-similarity" => "feature-extraction",
                _ => task,
            };
        var models = await catalogue.ListAsync(cancel);
        return models.FirstOrDefault(m => m.Task == wanted)?.Name
            ?? throw new LlmOsException(ErrorCode.ModelNotFound, $"No model for {task} is there. Import one, and name it in 'model'.") { Field = "model" };
    }

    /// <summary>The task of a model; what a request brings along decides between two that a model can do.</summary>
    public async Task<string> TaskOfAsync(string name, PipelineRequest request, HttpContext http, CancellationToken cancel)
    {
        var task = (await gate.FindAsync(name, http.Response, cancel)).Task;
        return task switch
        {
            "text-classification" when !GenerationRules.IsNothing(request.Parameters?.CandidateLabels) => "zero-shot-classification",
            "feature-extraction" when request.Inputs.ValueKind == JsonValueKind.Object && request.Inputs.TryGetProperty("source_sentence", out _) => "sentence-similarity",
            _ => task,
        };
    }

    public async Task<IResult> RunAsync(string task, string model, PipelineRequest request, HttpContext http, CancellationToken cancel)
    {
        if (task == ModelIntake.TextGeneration)
        {
            return await GenerateAsync(model, request, http, cancel);
        }

        if (request.Stream == true)
        {
            throw LlmOsException.Invalid("stream", $"'stream' is for {ModelIntake.TextGeneration}.");
        }

        if (Text2Text.IsTask(task))
        {
            var found = await gate.FindGeneratorAsync(model, http.Response, cancel);
            AnswerHeaders.Warn(http.Response, request.Unknown, [.. AnswerHeaders.NamesOf(request.Parameters?.Unknown)]);
            using var writer = await host.LeaseAsync(found, cancel);
            return TypedResults.Ok(await Text2Text.RunAsync(writer.Model, task, request, cancel));
        }

        var pipeline = EncoderPipeline.All.First(p => p.Task == task);
        using var lease = await encoders.LeaseAsync(model, http.Response, cancel);
        AnswerHeaders.Warn(http.Response, request.Unknown, [.. AnswerHeaders.NamesOf(request.Parameters?.Unknown)]);
        pipeline.Require(lease.Encoder);
        return TypedResults.Ok(await InferenceFaults.TranslateAsync(pipeline.Run(lease.Encoder, request, cancel)));
    }

    private async Task<IResult> GenerateAsync(string name, PipelineRequest request, HttpContext http, CancellationToken cancel)
    {
        var inputs = TextGenerationPlan.ReadInputs(request.Inputs);
        var model = await gate.FindGeneratorAsync(GenerationRules.WithAdapter(name, request.Parameters?.AdapterId, "parameters.adapter_id"), http.Response, cancel);
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
