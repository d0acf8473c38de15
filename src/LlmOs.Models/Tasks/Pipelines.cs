using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Tasks;

/// <summary>Hugging Face's tasks: which model does one, and what it answers.</summary>
internal sealed class Pipelines(ModelCatalogue catalogue, IGenerationService generation, TokenizerShelf tokenizers, ModelTexts texts)
{
    public static IReadOnlyList<string> Tasks { get; } =
        [ModelIntake.TextGeneration, "text2text-generation", "summarization", "translation", .. EncoderPipeline.All.Select(p => p.Task)];

    public static bool IsTask(string task) => Tasks.Contains(task) || Text2Text.IsTask(task);

    /// <summary>What a model must be for to do a task.</summary>
    public static ModelNeed NeedOf(string task) => task == ModelIntake.TextGeneration || Text2Text.IsTask(task) ? ModelNeed.Writing : ModelNeed.Reading;

    /// <summary>The model that a task takes when the request names none: the first one that is for it.</summary>
    public async Task<string> DefaultAsync(string task, CancellationToken cancel)
    {
        var wanted = Text2Text.IsTask(task) ? "text2text-generation" : EncoderPipeline.All.FirstOrDefault(p => p.Task == task)?.Models ?? task;
        return await catalogue.FirstOfTaskAsync(wanted, cancel)
            ?? throw new LlmOsException(ErrorCode.ModelNotFound, $"No model for {task} is there. Import one, and name it in 'model'.") { Field = "model" };
    }

    /// <summary>The task of a model; what a request brings along decides between two that a model can do.</summary>
    public static string TaskOf(ServableModel model, PipelineRequest request) => model.Task switch
    {
        "text-classification" when !GenerationRules.IsNothing(request.Parameters?.CandidateLabels) => "zero-shot-classification",
        var task => EncoderPipeline.All.FirstOrDefault(pipeline => pipeline.IsAskedOf(task, request.Inputs))?.Task ?? task,
    };

    /// <summary>Whether a model's own settings draw tokens where a request does not say.</summary>
    public async Task<bool> SamplesAsync(ServableModel model, CancellationToken cancel) => (await texts.ReadGenerationAsync(model, cancel)).Defaults.DoSample ?? false;

    /// <summary>Begins to write the texts of <c>text-generation</c>.</summary>
    public Task<ITextRun> WriteAsync(ServableModel model, TextGenerationPlan plan, GenerationCaller caller, CancellationToken cancel) =>
        generation.WriteAsync(plan.ToOrder(model), caller, cancel);

    /// <summary>Does any other task.</summary>
    public async Task<object> RunAsync(string task, ServableModel model, PipelineRequest request, GenerationCaller caller, CancellationToken cancel)
    {
        if (Text2Text.IsTask(task))
        {
            return await Text2Text.RunAsync(generation, model, task, request, caller, cancel);
        }

        var pipeline = EncoderPipeline.All.First(p => p.Task == task);
        await using var run = await generation.ReadAsync(model, Operations.OfTask(task), caller, cancel);
        var encoder = new EncoderModel(run, await tokenizers.OfAsync(model, cancel));
        pipeline.Require(encoder);
        return await pipeline.Run(encoder, request, cancel);
    }
}
