using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

internal static class ModelEndpoints
{
    public static void MapModelList(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", List)
            .WithName("ListServedModels")
            .WithSummary("Lists the models that can be named in requests.")
            .WithDescription("OpenAI's list; `llmos` tells the version that answers, its task and its context.")
            .Answers<ListObject<ModelObject>>();
        routes.MapGet("/v1/models/{**model}", Get)
            .WithName("GetServedModel")
            .WithSummary("Shows one model by its name, `name:3`, `name:alias` or `name@alias`.")
            .WithDescription("A slash in the name comes as `%2F` or as itself.")
            .Answers<ModelObject>();
    }

    private static async Task<Ok<ListObject<ModelObject>>> List(ModelCatalogue catalogue, ModelHost host, ModelTexts texts, CancellationToken cancel)
    {
        var models = await catalogue.ListAsync(cancel);
        var adapters = await catalogue.ListAdaptersAsync(cancel);
        var objects = new List<ModelObject>();
        foreach (var model in models)
        {
            objects.Add(await DescribeAsync(model.Name, model, adapters, host, texts, cancel));
        }

        return TypedResults.Ok(new ListObject<ModelObject>("list", objects));
    }

    private static async Task<Ok<ModelObject>> Get(
        string model, HttpContext http, IGenerationService generation, ModelCatalogue catalogue, ModelHost host, ModelTexts texts, CancellationToken cancel)
    {
        var name = ModelRoutes.Unescape(model);
        var found = await generation.FindAsync(name, ModelNeed.Any, "model", cancel);
        AnswerHeaders.Version(http.Response, found);
        return TypedResults.Ok(await DescribeAsync(name, found, await catalogue.ListAdaptersAsync(cancel), host, texts, cancel));
    }

    private static async Task<ModelObject> DescribeAsync(
        string id, ServableModel model, ILookup<string, string> adapters, ModelHost host, ModelTexts texts, CancellationToken cancel)
    {
        var details = new ModelObjectDetails(
            model.Reference,
            model.Task,
            model.ContextLength,
            [.. adapters[model.Reference]],
            model.Precision,
            host.MemoryBytes(model),
            await texts.ReadCapabilitiesAsync(model, cancel));
        return new ModelObject(id, "model", model.CreatedAt.ToUnixTimeSeconds(), "llmos", details);
    }
}
