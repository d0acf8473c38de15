using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Datasets.Leakage;
using LlmOs.Tools.Datasets.Preparation;
using LlmOs.Tools.Evaluation;
using LlmOs.Tools.Evaluation.Metrics;
using LlmOs.Tools.Tokenizers;
using LlmOs.Tools.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Tools;

/// <summary>Tier 3: what makes and judges models.</summary>
public static class ToolsTier
{
    public static IServiceCollection AddTools(this IServiceCollection services)
    {
        services.AddSingleton<ITableMap, EvaluationTables>();
        services.AddSingleton<ITableMap, DatasetTables>();
        services.AddSingleton<DatasetRegistry>();
        services.AddSingleton<RowPages>();
        services.AddJobKind<DatasetImportKind>();
        services.AddJobKind<PreparationKind>();
        services.AddJobKind<LeakageKind>();
        services.AddJobKind<TrainingKind>();
        services.AddJobKind<EvaluationKind>();
        services.AddJobKind<TokenizerKind>();
        services.AddSingleton<MetricRun>();
        return services;
    }

    public static IEndpointRouteBuilder MapTools(this IEndpointRouteBuilder routes)
    {
        routes.MapDatasets();
        routes.MapPreparations();
        routes.MapJobKind<LeakageKind, LeakageRequest>("/api/v1/leakage").WithTags("Data sets").WithName("FindLeaks")
            .WithSummary("Looks for the rows of a test set in a training set; answers with the job that does it.")
            .WithRequestExample("""{"train":"banking77:1","test":"banking77-test:1"}""")
            .ProducesProblem(404);
        routes.MapTraining();
        routes.MapEvaluations();
        routes.MapMetrics();
        routes.MapTokenizerTraining();
        return routes;
    }
}
