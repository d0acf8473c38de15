using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Datasets.Preparation;
using LlmOs.Tools.Evaluation;
using LlmOs.Tools.Evaluation.Metrics;
using LlmOs.Tools.Tokenizers;
using LlmOs.Tools.Training;
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
        routes.MapTraining();
        routes.MapEvaluations();
        routes.MapMetrics();
        routes.MapTokenizerTraining();
        return routes;
    }
}
