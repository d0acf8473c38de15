using LlmOs.Infrastructure;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Server.Http;

/// <summary>
/// Pages of other origins that may call the API from a browser: those of <c>LLMOS_CORS</c>, by default none. They need a key
/// like everybody; a browser's session is never sent for them.
/// </summary>
internal static class ForeignPages
{
    private static readonly string[] Readable = ["x-request-id", "x-llmos-model-version", HeaderNames.RetryAfter, HeaderNames.Location, HeaderNames.ETag];

    public static void AddForeignPages(this IServiceCollection services, LlmOsSettings settings) =>
        services.AddCors(cors => cors.AddDefaultPolicy(policy =>
            policy.WithOrigins([.. settings.Cors]).AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(Readable).SetPreflightMaxAge(TimeSpan.FromMinutes(10))));

    public static void UseForeignPages(this WebApplication app)
    {
        if (app.Services.GetRequiredService<LlmOsSettings>().Cors.Count > 0)
        {
            app.UseCors();
        }
    }
}
