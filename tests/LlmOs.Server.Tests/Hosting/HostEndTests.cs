using LlmOs.Apps;
using LlmOs.Infrastructure;
using LlmOs.Models;
using LlmOs.Server.Hosting;
using LlmOs.Testing;
using LlmOs.Tools;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace LlmOs.Server.Tests.Hosting;

public class HostEndTests
{
    [Fact]
    public async Task A_part_that_does_not_stop_in_time_does_not_spoil_the_exit_code()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHostedService<Stubborn>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(1));
        var host = builder.Build();
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStarted.Register(lifetime.StopApplication);

        Assert.Equal(0, await host.RunToEndAsync());
    }

    /// <summary>Whoever starts the process again looks at its exit code.</summary>
    [Fact]
    public async Task A_part_that_fails_ends_the_process_and_not_with_0()
    {
        using var temp = new TempFolder();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHosting();
        builder.Services.AddInfrastructure(new LlmOsSettings { Data = temp.At("data"), ImportDirs = [] }).AddModels().AddTools().AddApps();
        builder.Services.RemoveAll<IHostedService>();
        builder.Services.AddSingleton<IServer, NoServer>();
        builder.Services.AddHostedService<Broken>();
        builder.Services.StartBackgroundWorkLate();
        using var host = builder.Build();

        Assert.Equal(HostEnd.Fault, await host.RunToEndAsync());
    }

    private sealed class Broken : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("broken");
        }
    }

    private sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public void Dispose()
        {
        }

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Stubborn : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
    }
}
