using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Web;
using Microsoft.AspNetCore.Components.Authorization;

namespace LlmOs.Server.InProcess;

/// <summary>Puts the console into the server: who may open it, and the client through which it acts.</summary>
internal static class ConsoleHosting
{
    public static void AddConsoleHosting(this WebApplicationBuilder builder)
    {
        // Before the server is published, the files of libraries lie in their packages. Afterwards this finds nothing.
        builder.WebHost.UseStaticWebAssets();

        // Watching for changed files adds a route for every path, and a wrong method would be told that there is no such path.
        builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
        builder.Services.AddConsole();
        builder.Services.AddSingleton<InProcessPipeline>();
        builder.Services.AddScoped(provider => new LlmOsClient(new HttpClient(
            new InProcessHandler(provider.GetRequiredService<InProcessPipeline>(), provider.GetRequiredService<AuthenticationStateProvider>(), provider.GetRequiredService<Sessions>()))
        {
            BaseAddress = new Uri("http://localhost/"),
            Timeout = Timeout.InfiniteTimeSpan,
        }));
    }

    public static void MapConsoleHosting(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapConsole().RequireScope(Scopes.Read);
    }
}
