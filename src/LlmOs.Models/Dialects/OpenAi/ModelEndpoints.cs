using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Http;
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
            .WithDescription("OpenAI's list; `llmos` tells the version that answers, its task and its context. Where there are more than the limit (500 when none is stated), `has_more` is true; the last `id`, sent as `after`, gives those that follow.")
            .Answers<ListObject<ModelObject>>();
        routes.MapGet("/v1/models/{**model}", Get)
            .WithName("GetServedModel")
            .WithSummary("Shows one model by its name, `name:3`, `name:alias` or `name@alias`.")
            .WithDescription("A slash in the name comes as `%2F` or as itself.")
            .Answers<ModelObject>();
    }

    private static async Task<Ok<ListObject<ModelObject>>> List([AsParameters] Paging paging, ModelCatalogue catalogue, ModelHost host, ModelTexts texts, CancellationToken cancel)
    {
        var size = paging.Limit ?? Paging.MaxLimit; // OpenAI's clients expect all at once
        var models = await catalogue.ListAsync(paging.After, size + 1, cancel);
        var adapters = await catalogue.ListAdaptersAsync(models, cancel);
        var objects = new List<ModelObject>();
        foreach (var model in models.Take(size))
        {
            objects.Add(await DescribeAsync(model.Name, model, adapters, host, texts, cancel));
        }

        return TypedResults.Ok(new ListObject<ModelObject>("list", objects) { HasMore = models.Count > size ? true : null });
    }

    private static async Task<Ok<ModelObject>> Get(
        string model, HttpContext http, IGenerationService generation, ModelCatalogue catalogue, ModelHost host, ModelTexts texts, CancellationToken cancel)
    {
        var name = ModelRoutes.Unescape(model);
        var found = await generation.FindAsync(name, ModelNeed.Any, "model", cancel);
        AnswerHeaders.Version(http.Response, found);
        return TypedResults.Ok(await DescribeAsync(name, found, await catalogue.ListAdaptersAsync([found], cancel), host, texts, cancel));
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
