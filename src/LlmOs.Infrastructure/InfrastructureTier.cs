using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Files;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Metering;
using LlmOs.Infrastructure.Network;
using LlmOs.Infrastructure.Storage;
using LlmOs.Infrastructure.Storage.Backups;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LlmOs.Infrastructure;

/// <summary>Tier 1: compute, storage, access and jobs.</summary>
public static class InfrastructureTier
{
    public static IServiceCollection AddInfrastructure(this IServiceCollection services, LlmOsSettings settings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);

        services.AddSingleton<KnownDialects>();
        services.AddSection<StreamOptions>(StreamOptions.Section);

        services.AddSingleton(_ => new DataFolder(settings.Data));
        services.AddSingleton<ArtifactStore>();
        services.AddSingleton<IDbContextFactory<LlmOsDb>, LlmOsDbFactory>();
        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<LlmOsDb>>().CreateDbContext());

        services.AddSingleton<SharedClock>();
        services.AddSingleton<IKnownFaults, DatabaseFaults>();
        services.AddSingleton<IReadinessCheck, DiskReady>();

        services.AddSingleton<ITableMap, StoreTables>();
        services.AddSingleton<StoreIdentity>();
        services.AddSingleton<StoreBackup>();
        services.AddSingleton<StoreRestore>();

        services.AddSingleton<ITableMap, UploadTables>();
        services.AddSingleton<Uploads>();
        services.AddSection<CollectorOptions>(CollectorOptions.Section);
        services.AddSingleton<ITableMap, FileTables>();
        services.AddSingleton<ClientFiles>();
        services.AddSingleton<FilesInParts>();
        services.AddSingleton<ICollectable, OldFiles>();
        services.AddSingleton<ICollectable, UnusedBlobs>();
        services.AddSingleton<ICollectable, Quarantine>();
        services.AddSingleton<ICollectable, Leftovers>();
        services.AddSingleton<ICollectable, ForgottenUploads>();
        services.AddSingleton<ICollectable, JobLeftovers>();
        services.AddSingleton<Collector>();
        services.AddHostedService<CollectorLoop>();
        services.AddJobKind<VerifyKind>();

        services.AddSingleton<Egress>();

        // Before everything that runs models: hosted services stop in the opposite order, so the ledger takes their last records.
        services.AddSingleton<ITableMap, UsageTables>();
        services.AddSingleton<UsageLedger>();
        services.AddHostedService(provider => provider.GetRequiredService<UsageLedger>());

        services.AddSingleton<ITableMap, JobTables>();
        services.AddSingleton<JobSignal>();
        services.AddSingleton<JobSpecs>();
        services.AddSingleton<JobQueue>();
        services.AddSingleton<JobLeases>();
        services.AddSingleton<JobWatch>();
        services.AddSection<JobOptions>(JobOptions.Section, ("MostSetbacks", nameof(JobOptions.MaxAttempts)));
        services.AddHostedService<JobLoop>();
        services.AddHostedService<JobHousekeeping>();

        services.AddSingleton<HostDrain>();
        services.AddSingleton<NodeIdentity>();
        services.AddSingleton<ITableMap, NodeTables>();
        services.AddHostedService<NodeHeartbeat>();

        services.AddSingleton<ITableMap, AccessTables>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<KeyUse>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyUse>());
        services.AddSingleton<WrongSecrets>();
        services.AddSingleton<CallerCheck>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<Users>();
        return services;
    }

    public static IEndpointRouteBuilder MapInfrastructure(this IEndpointRouteBuilder routes)
    {
        routes.MapArtifacts();
        routes.MapJobKind<VerifyKind, VerifyRequest>("/api/v1/artifacts/verify").WithTags("Storage").WithName("VerifyArtifacts")
            .WithSummary("Hashes every stored file again in the background; answers with the job, whose result names the damaged ones.")
            .WithRequestExample("{}");
        routes.MapJobs();
        routes.MapNodes();
        routes.MapKeys();
        routes.MapUsers();
        routes.MapUsage();
        return routes;
    }
}
