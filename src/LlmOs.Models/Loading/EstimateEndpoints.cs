using LlmOs.Contracts;
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

namespace LlmOs.Models.Loading;

/// <summary>What a model takes in memory at each precision, before it is imported or loaded: told from headers alone.</summary>
internal static class EstimateEndpoints
{
    public static void MapEstimates(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/v1/models").WithTags("Models");
        models.MapPost("/estimate", EstimateSource).WithName("EstimateSource").WithSummary("The memory that a source would take at each precision, from its headers alone.")
            .ProducesProblem(400).ProducesProblem(403).WithRequestExample("""{"source":"file:/home/me/.llmos/import/my-model.gguf","context":4096,"slots":4}""");
        new ModelPaths(models).Map("POST", "/versions/{version:int}/estimate", EstimateVersion, "EstimateModelVersion", "The memory that a version takes at each precision.")
            .ProducesProblem(400).ProducesProblem(404).WithRequestExample("""{"context":4096,"slots":4}""");
    }

    private static async Task<Ok<EstimateReply>> EstimateSource(
        SourceEstimateRequest request, LlmOsSettings settings, MemoryBudget budget)
    {
        var source = ImportSource.Resolve(request.Source, settings.ImportDirs);
        SourceLayout.CheckKind(source);
        var config = await FormatRefusal.GuardAsync(() => Task.FromResult(SourceLayout.ReadConfig(source, path => ImportSource.ResolveInside(path, settings.ImportDirs))))
            ?? throw new LlmOsException(ErrorCode.UnsupportedFormat, "What is in an archive, or in an ONNX graph of another exporter, is known when it is imported. Import it, or name a folder with safetensors or a .gguf file.") { Field = "source" };
        return TypedResults.Ok(Reply(config, request.Context, request.Slots, budget));
    }

    private static async Task<Ok<EstimateReply>> EstimateVersion(
        string name, int version, EstimateRequest request, LlmOsDb db, ArtifactStore store, MemoryBudget budget, CancellationToken cancel)
    {
        var found = await VersionEndpoints.FindAsync(name, version, db, cancel);
        var config = await FormatRefusal.GuardAsync(async () => found.FindFile(ModelFolder.ConfigFile) is { } file
            ? ConfigJson.Parse(await File.ReadAllBytesAsync(store.PathOf(file.Sha256), cancel), ModelFolder.ConfigFile)
            : throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{found.Ref} has no config.json."));
        return TypedResults.Ok(Reply(config, request.Context, request.Slots, budget));
    }

    private static EstimateReply Reply(ConfigJson json, int? context, int? slots, MemoryBudget budget)
    {
        try
        {
            var architecture = Architectures.Of(json);
            var config = architecture.ReadConfig(json);
            var needs = Precisions.All.Select(precision => (Precision: precision, Need: budget.Estimate(architecture, config, precision, context, slots))).ToList();
            return new EstimateReply(
                architecture.ClassName,
                architecture.Weights(config).Sum(t => t.Elements),
                needs[0].Need.Context,
                needs[0].Need.Slots,
                budget.Bytes,
                [.. needs.Select(n => new PrecisionEstimate(n.Precision, n.Need.Weights, n.Need.Cache, n.Need.Activations, n.Need.Total, n.Need.Total <= budget.Bytes))]);
        }
        catch (ModelFormatException fault)
        {
            throw FormatRefusal.Of(fault);
        }
    }
}
