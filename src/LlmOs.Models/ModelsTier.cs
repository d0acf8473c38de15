using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Dialects.HuggingFace;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Dialects.Tgi;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Import.Pull;
using LlmOs.Models.Import.Sources;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;
using LlmOs.Models.Registry;
using LlmOs.Models.Registry.Cards;
using LlmOs.Models.Tasks;
using LlmOs.Models.Tokenizers;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models;

/// <summary>Tier 2: the registry and everything that runs a model.</summary>
public static class ModelsTier
{
    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddRegistry();
        services.AddServing();
        return services;
    }

    public static IEndpointRouteBuilder MapModels(this IEndpointRouteBuilder routes)
    {
        routes.MapRegistry();
        routes.MapCatalogue();
        routes.MapEstimates();
        routes.MapRunning();
        routes.MapTokenizers();
        routes.MapChatTemplates();

        // A dialect is a folder and its line here.
        routes.MapDialect<OpenAiDialect>().MapOpenAi();
        routes.MapDialect<HuggingFaceDialect>().MapHuggingFace();
        routes.MapDialect<TgiDialect>().MapTgi();
        return routes;
    }

    private static void AddRegistry(this IServiceCollection services)
    {
        services.AddSingleton<ITableMap, RegistryTables>();
        services.AddSingleton<ServingGraphs>();
        services.AddSingleton<ModelIntake>();
        services.AddSingleton<ModelRegistry>();
        services.AddSingleton<StarterRegistration>();
        services.AddSingleton<ICollectable>(provider => provider.GetRequiredService<ServingGraphs>());
        services.AddSingleton<CardPages>();
        services.AddSingleton<ICollectable>(provider => provider.GetRequiredService<CardPages>());
        services.AddSingleton<ModelUses>();
        services.AddSingleton<IModelUsers, JobModelUsers>();
        services.AddSingleton<ModelArchive>();
        services.AddSingleton<ModelCopies>();
        services.AddSection<PullOptions>(PullOptions.Section, ("Tries", nameof(PullOptions.MaxAttempts)), ("MostPauseSeconds", nameof(PullOptions.MaxPauseSeconds)));
        services.AddSingleton<Retries>();
        services.AddSingleton<Downloader>();
        services.AddSingleton<HubClient>();
        services.AddSingleton<HubPull>();
        services.AddSingleton<WebSource>();
        services.AddSingleton<UploadSource>();
        services.AddSingleton(provider => new SourceDoor(
            provider.GetRequiredService<LlmOsSettings>(),
            provider.GetRequiredService<UploadSource>(),
            provider.GetRequiredService<HubClient>(),
            provider.GetRequiredService<HubPull>(),
            provider.GetRequiredService<WebSource>()));
        services.AddSingleton<ImportDoor>();
        services.AddJobKind<ImportKind>();
        services.AddSingleton<StarterHost>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<StarterHost>());
        services.AddHostedService(provider => provider.GetRequiredService<StarterHost>());
    }

    private static void AddServing(this IServiceCollection services)
    {
        services.AddSection<ServingOptions>(ServingOptions.Section);
        services.AddSection<EngineOptions>(EngineOptions.Section);
        services.AddSingleton<ModelCatalogue>();
        services.AddSingleton<ModelTexts>();
        services.AddSingleton<ITableMap, TokenizerTables>();
        services.AddSingleton<TokenizerShelf>();
        services.AddSingleton<ModelPrompts>();
        services.AddSingleton<TokenizerLibrary>();
        services.AddSingleton<MemoryBudget>();
        services.AddSingleton<ModelLoader>();
        services.AddSingleton<ServingMetrics>();
        services.AddSingleton<ModelHost>();
        services.AddHostedService<ModelSweep>();
        services.AddSingleton<IKnownFaults, EngineFaults>();
        services.AddSingleton<IGenerationService, GenerationService>();
        services.AddSingleton<Pipelines>();
    }
}
