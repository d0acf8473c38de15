using System.Net;
using System.Text;
using System.Text.Json;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models.Tests.Registry;

/// <summary>A registry behind HTTP, for the tests of its routes.</summary>
public abstract class RegistryHttpTests : IAsyncLifetime
{
    private protected HttpClient Http { get; } = new();

    private protected RegistryWorld World { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        World = await RegistryWorld.CreateAsync();
        World.App.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception fault) when (context.RequestServices.GetServices<IKnownFaults>().AsRefusal(fault) is { } refusal)
            {
                context.Response.StatusCode = Refusals.StatusOf(refusal.Code);
                await context.Response.WriteAsJsonAsync(new { code = refusal.Code.ToString(), message = refusal.Message });
            }
        });
        var group = World.App.MapApiGroup();
        group.MapInfrastructure();
        group.MapModels();
        await World.App.StartAsync();
        Http.BaseAddress = new Uri(World.Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await World.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        using var reply = await Http.SendAsync(request);
        var text = await reply.Content.ReadAsStringAsync();
        return new Answer(reply.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement, reply.Headers.ETag?.ToString());
    }

    private protected sealed record Answer(HttpStatusCode Status, JsonElement Body, string? Tag);
}
