using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Server.Http;

namespace LlmOs.Server.Hosting;

/// <summary>How the process begins and ends.</summary>
internal static class HostingSetup
{
    public static void AddHosting(this IServiceCollection services)
    {
        services.AddSection<DatabaseOptions>(DatabaseOptions.Section);
        services.AddSingleton<DatabaseSetup>();
        services.AddSingleton<Banner>();
        services.AddSingleton<HostOutcome>();
        services.AddSingleton<StartGate>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<StartGate>());
        services.AddSingleton<IReadinessCheck, DatabaseReady>();
        services.AddSingleton<RunningRequests>();
        services.AddSingleton<IHostLifetime, DrainingLifetime>();
        services.Configure<HostOptions>(options =>
        {
            // Requests have had their time by then; only jobs must still be given back.
            options.ShutdownTimeout = TimeSpan.FromSeconds(30);
            options.ServicesStopConcurrently = true;
        });
    }

    /// <summary>Lets everything that works in the background wait for <see cref="HostStart"/>. Call when all tiers are added.</summary>
    /// <remarks>The web server adds itself later, so it is not among them.</remarks>
    public static void StartBackgroundWorkLate(this IServiceCollection services)
    {
        foreach (var part in services.Where(service => service.ServiceType == typeof(IHostedService)).ToList())
        {
            services.Remove(part);
            services.Add(part switch
            {
                { ImplementationType: { } type } => new ServiceDescriptor(typeof(IHostedService), HostStart.Late, type, ServiceLifetime.Singleton),
                { ImplementationFactory: { } make } => new ServiceDescriptor(typeof(IHostedService), HostStart.Late, (provider, _) => make(provider), ServiceLifetime.Singleton),
                _ => new ServiceDescriptor(typeof(IHostedService), HostStart.Late, part.ImplementationInstance!),
            });
        }

        services.AddHostedService<HostStart>();
    }
}
