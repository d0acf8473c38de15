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
            // By then the requests had their time; what is left is giving back jobs.
            options.ShutdownTimeout = TimeSpan.FromSeconds(30);
            options.ServicesStopConcurrently = true;
        });
    }
}
