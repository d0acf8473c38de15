using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Loading;

/// <summary>What a model takes in memory at each precision, before it is imported or loaded: told from headers alone.</summary>
internal static class EstimateEndpoints
{
    public static void MapEstimates(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/v1/models").WithTags("Models");
        models.MapPost("/estimate", EstimateSource).WithName("EstimateSource").WithSummary("The memory that a source would take at each precision, from its headers alone.")
            .ProducesProblem(400).ProducesProblem(403).WithRequestExample("""{"source":"file:/home/me/.llmos/import/my-model.gguf","context":4096,"slots":4}""");
        models.MapPost("/{name}/versions/{version:int}/estimate", EstimateVersion).WithName("EstimateModelVersion")
            .WithSummary("The memory that a version takes at each precision.").ProducesProblem(400).ProducesProblem(404)
            .WithRequestExample("""{"context":4096,"slots":4}""");
        models.MapPost("/{org}/{name}/versions/{version:int}/estimate", (
            string org, string name, int version, EstimateRequest request, LlmOsDb db, ArtifactStore store, MemoryBudget budget, IOptions<EngineOptions> engine, CancellationToken cancel) =>
            EstimateVersion($"{org}/{name}", version, request, db, store, budget, engine, cancel)).ExcludeFromDescription();
    }

    private static async Task<Ok<EstimateReply>> EstimateSource(
        SourceEstimateRequest request, LlmOsSettings settings, MemoryBudget budget, IOptions<EngineOptions> engine)
    {
        var source = ImportSource.Resolve(request.Source, settings.ImportDirs);
        SourceLayout.CheckKind(source);
        var config = await FormatRefusal.GuardAsync(() => Task.FromResult(SourceLayout.ReadConfig(source, path => ImportSource.ResolveInside(path, settings.ImportDirs))))
            ?? throw new LlmOsException(ErrorCode.UnsupportedFormat, "What is in an archive, or in an ONNX graph of another exporter, is known when it is imported. Import it, or name a folder with safetensors or a .gguf file.") { Field = "source" };
        return TypedResults.Ok(Reply(config, request.Context, request.Slots, budget, engine.Value));
    }

    private static async Task<Ok<EstimateReply>> EstimateVersion(
        string name, int version, EstimateRequest request, LlmOsDb db, ArtifactStore store, MemoryBudget budget, IOptions<EngineOptions> engine, CancellationToken cancel)
    {
        var found = await VersionEndpoints.FindAsync(ModelName.FromPath(name), version, db, cancel);
        var config = await FormatRefusal.GuardAsync(async () => found.FindFile(ModelFolder.ConfigFile) is { } file
            ? ConfigJson.Parse(await File.ReadAllBytesAsync(store.PathOf(file.Sha256), cancel), ModelFolder.ConfigFile)
            : throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{found.Ref} has no config.json."));
        return TypedResults.Ok(Reply(config, request.Context, request.Slots, budget, engine.Value));
    }

    private static EstimateReply Reply(ConfigJson json, int? context, int? slots, MemoryBudget budget, EngineOptions engine)
    {
        try
        {
            var architecture = Architectures.Of(json);
            var config = architecture.ReadConfig(json);
            var (tokens, rows) = (Math.Min(context ?? engine.MaxContext, config.ContextLength), slots ?? engine.Slots);
            return new EstimateReply(
                architecture.ClassName,
                architecture.Weights(config).Sum(t => t.Elements),
                tokens,
                rows,
                budget.Bytes,
                [
                    .. Precisions.All.Select(precision =>
                    {
                        var need = MemoryEstimate.Of(architecture, config, Precisions.OfGraph(precision), tokens, rows, engine.PrefillChunk);
                        return new PrecisionEstimate(precision, need.Weights, need.Cache, need.Activations, need.Total, need.Total <= budget.Bytes);
                    }),
                ]);
        }
        catch (ModelFormatException fault)
        {
            throw FormatRefusal.Of(fault);
        }
    }
}
