using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Server.InProcess;

namespace LlmOs.Server.Http;

/// <summary>The way of a request, from the outside in.</summary>
internal static class HttpSetup
{
    /// <summary>Maximum bytes of a body where an endpoint does not say otherwise.</summary>
    public const long MaxBodyBytes = 16 << 20;

    public static void AddHttp(this IServiceCollection services, LlmOsSettings settings)
    {
        services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
        });
        services.Configure<Microsoft.AspNetCore.Http.Features.FormOptions>(form => form.MultipartBodyLengthLimit = long.MaxValue); // the body's limit counts
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            LlmOsJson.Apply(json.SerializerOptions);
            LlmOsJson.RefuseBadText(json.SerializerOptions);
        });
        services.AddSingleton(new OpenDoor(settings.AuthOff));
        services.AddPublicAddress(settings);
        services.AddForeignPages(settings);
    }

    public static void UseHttp(this WebApplication app)
    {
        app.UsePublicAddress();
        app.Services.GetRequiredService<InProcessPipeline>().TakeFrom(app);
        app.UseMiddleware<RequestTrace>();
        app.UseMiddleware<ProblemHandler>();
        app.UseMiddleware<HeadRequests>();
        app.UseMiddleware<CutOffGate>();
        app.UseMiddleware<DrainGate>();
        app.UseMiddleware<StartingGate>();
        app.UseMiddleware<OpenDoorGuard>();
        app.UseRouting();
        app.UseForeignPages();
        app.UseMiddleware<OpenPaths>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseMiddleware<BodyCoding>();
        app.UseMiddleware<BodyLimit>();
        app.UseOpenApi();
    }
}
