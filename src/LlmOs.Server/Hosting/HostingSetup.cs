using LlmOs.Infrastructure.Http;
using LlmOs.Server.Http;

namespace LlmOs.Server.Hosting;

/// <summary>How the process begins and ends.</summary>
internal static class HostingSetup
{
    public static void AddHosting(this IServiceCollection services)
    {
        services.AddSingleton<FirstKey>();
        services.AddSingleton<DatabaseSetup>();
        services.AddSingleton<IReadinessCheck, DatabaseReady>();
        services.AddSingleton<RunningRequests>();
        services.AddSingleton<IHostLifetime, DrainingLifetime>();
        services.AddHostedService<Banner>();
        services.Configure<HostOptions>(options =>
        {
            // Requests have had their time by then; only jobs must still be given back.
            options.ShutdownTimeout = TimeSpan.FromSeconds(30);
            options.ServicesStopConcurrently = true;
        });
    }
}
