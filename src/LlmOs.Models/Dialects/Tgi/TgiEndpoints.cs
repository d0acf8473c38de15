using System.Reflection;
using LlmOs.Engine;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Dialects.Tgi;

internal static class TgiEndpoints
{
    private const string Example = """{"inputs":"Once upon a time","parameters":{"max_new_tokens":32,"do_sample":true,"temperature":0.8,"details":true}}""";

    private static readonly string Version = typeof(TgiEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void MapTgi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/generate", Generate)
            .WithName("TgiGenerate")
            .WithSummary("Continues a text, as text-generation-inference does.")
            .WithRequestExample(Example)
            .Answers<TgiReply>()
            .Produces<TgiError>(StatusCodes.Status424FailedDependency);
        routes.MapPost("/generate_stream", GenerateStream)
            .WithName("TgiGenerateStream")
            .WithSummary("Continues a text token by token, in server-sent events.")
            .WithRequestExample(Example)
            .Answers<TgiStreamItem>("text/event-stream")
            .Produces<TgiError>(StatusCodes.Status424FailedDependency);
        routes.MapGet("/info", Info)
            .WithName("TgiInfo")
            .WithSummary("Says which model answers, and within which limits.")
            .Answers<TgiInfo>();
    }

    private static async Task<Ok<TgiReply>> Generate(
        TgiRequest request, HttpContext http, IGenerationService generation, ModelPrompts prompts, ModelCatalogue catalogue, IOptions<ServingOptions> options, CancellationToken cancel)
    {
        var (run, plan) = await StartAsync(request, stream: false, http, generation, prompts, catalogue, options.Value, cancel);
        await using (run)
        {
            return TypedResults.Ok(await InferenceFaults.TranslateAsync(new TgiAnswer(run, plan).WholeAsync(cancel)));
        }
    }

    private static async Task<IResult> GenerateStream(
        TgiRequest request, HttpContext http, IGenerationService generation, ModelPrompts prompts, ModelCatalogue catalogue, IOptions<ServingOptions> options, CancellationToken cancel)
    {
        var (run, plan) = await StartAsync(request, stream: true, http, generation, prompts, catalogue, options.Value, cancel);
        return new EventStream(new TgiAnswer(run, plan).Items(http.RequestAborted), run);
    }

    private static async Task<(ITextRun Run, TgiPlan Plan)> StartAsync(
        TgiRequest request, bool stream, HttpContext http, IGenerationService generation, ModelPrompts prompts, ModelCatalogue catalogue, ServingOptions options, CancellationToken cancel)
    {
        var name = GenerationRules.WithAdapter(await NameAsync(request.Model, generation, catalogue, options, cancel), request.Parameters?.AdapterId, "parameters.adapter_id");
        var model = await generation.FindAsync(name, ModelNeed.Writing, "model", cancel);
        AnswerHeaders.Version(http.Response, model);
        var plan = TgiPlan.From(request, stream);
        AnswerHeaders.Warn(http.Response, request.Unknown, AnswerHeaders.NamesOf(request.Parameters?.Unknown));

        // Shown tokens need their texts, so a model without a tokenizer is refused here.
        var tokenizer = await prompts.TokenizerOfAsync(model, "inputs", cancel);
        int[]? cut = null;
        if (plan.Truncate is { } kept && tokenizer.Encode(plan.Inputs, addSpecialTokens: true, parseSpecialTokens: false) is var ids && ids.Length > kept)
        {
            cut = ids[^kept..];
        }

        return (await generation.WriteAsync(plan.ToOrder(model, cut), GenerationCaller.Of(http.User), cancel), plan);
    }

    private static async Task<Ok<TgiInfo>> Info(
        string? model, HttpContext http, IGenerationService generation, ModelCatalogue catalogue, IOptions<ServingOptions> serving, IOptions<EngineOptions> engine, CancellationToken cancel)
    {
        var found = await generation.FindAsync(await NameAsync(model, generation, catalogue, serving.Value, cancel), ModelNeed.Any, "model", cancel);
        AnswerHeaders.Version(http.Response, found);
        var context = Math.Min(found.ContextLength, engine.Value.MaxContext);
        return TypedResults.Ok(new TgiInfo(
            found.Reference,
            found.Files.FirstOrDefault(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal))?.Sha256,
            found.Task,
            engine.Value.Slots + engine.Value.MaxQueued,
            GenerationRules.MaxChoices,
            GenerationRules.MaxStops,
            context - 1,
            context,
            Environment.ProcessorCount,
            MaxClientBatchSize: 1,
            Router: "llmos",
            Version));
    }

    /// <summary>Clients of this dialect name no model: its servers have one. Of several the pipelines' own is taken.</summary>
    private static async Task<string> NameAsync(
        string? stated, IGenerationService generation, ModelCatalogue catalogue, ServingOptions options, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(stated))
        {
            return stated;
        }

        return await catalogue.CountAsync(cancel) > 1 && await catalogue.HasAsync(options.PipelineModel, cancel)
            ? options.PipelineModel
            : (await generation.FindOnlyAsync(stated, cancel)).Name;
    }
}
