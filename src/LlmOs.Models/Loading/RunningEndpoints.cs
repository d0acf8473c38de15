using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Loading;

/// <summary>What is in memory, and loading and unloading by hand. Each answers what is in memory then.</summary>
internal static class RunningEndpoints
{
    public static void MapRunning(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v1/running", List).WithTags("Models").WithName("ListRunningModels")
            .WithSummary("The models in the memory of the server that answers: state, progress, memory, requests, and when they go.");
        var one = new ModelPaths(routes.MapGroup("/api/v1/models").WithTags("Models"));
        one.Map("POST", "/load", Load, "LoadModel", "Loads a model (name, name:3, name:alias) before it is asked for, and answers when it is there; also pins it, or changes how long it stays.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(422).ProducesProblem(503).WithRequestExample("""{"keep_alive":600,"pinned":false}""");
        one.Map("POST", "/unload", Unload, "UnloadModel", "Unloads a model as soon as no request holds it: every version of a name, or the one that name:3 or name:alias means.")
            .ProducesProblem(404);
    }

    private static Ok<Page<RunningModel>> List(ModelHost host) => TypedResults.Ok(new Page<RunningModel>(host.List(), null));

    private static async Task<Ok<Page<RunningModel>>> Load(string name, LoadRequest? request, ModelCatalogue catalogue, ModelHost host, CancellationToken cancel)
    {
        var keep = KeepAlive.Read(request?.KeepAlive);
        await host.LoadAsync(await catalogue.FindAsync(name, cancel), keep, request?.Pinned, cancel);
        return List(host);
    }

    private static async Task<Ok<Page<RunningModel>>> Unload(string name, ModelCatalogue catalogue, ModelHost host, CancellationToken cancel)
    {
        // What is loaded may be archived by now, so the name is looked for there first.
        Func<ServableModel, bool> which = host.Models() is var loaded && loaded.Any(model => model.Name == name) ? model => model.Name == name
            : loaded.Any(model => model.Reference == name) ? model => model.Reference == name
            : (await catalogue.FindAsync(name, cancel)).Equals;
        host.Unload(which, UnloadReason.Asked);
        return List(host);
    }
}
