using LlmOs.Apps;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models;
using LlmOs.Server.Hosting;
using LlmOs.Server.Hosting.Commands;
using LlmOs.Server.Http;
using LlmOs.Server.InProcess;
using LlmOs.Tools;

if (ServerCommands.Find(args) is { } command)
{
    return await command.RunAsync(args);
}

try
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    var settings = LlmOsSettings.From(builder.Configuration);
    builder.UseAddresses(settings);
    builder.UseLogging(settings);
    builder.Services.AddHosting();
    builder.Services.AddHttp(settings);
    builder.Services.AddAccess();
    builder.Services.AddOpenApi();
    builder.Services.AddMetricsExport();
    builder.AddConsoleHosting();
    builder.Services.AddInfrastructure(settings).AddModels().AddTools().AddApps();
    builder.Services.StartBackgroundWorkLate();

    await using var app = builder.Build();
    using var folder = FolderLock.Take(settings);
    app.UseHttp();
    app.MapHealth();
    app.MapMetrics();
    app.MapLogin();
    app.MapConsoleHosting();
    var api = app.MapApiGroup();
    api.MapInfrastructure().MapModels().MapTools().MapApps();
    app.RequireEndpointRules();

    return await app.RunToEndAsync();
}
catch (Exception failure) when (StartFailure.Of(failure) is { } refusal)
{
    await Console.Error.WriteLineAsync($"LlmOs cannot start. {refusal.Message}");
    return refusal.ExitCode;
}
