using System.Text.Json;

namespace LlmOs.Contracts;

/// <content>Templates and the apps made from them.</content>
public sealed partial class LlmOsClient
{
    /// <param name="language">Of titles, labels and help; null gives English.</param>
    public Task<Page<TemplateView>> ListTemplatesAsync(string? language, CancellationToken cancel) =>
        GetAsync<Page<TemplateView>>("api/v1/templates" + Query(("language", language)), cancel);

    public Task<AppCreated> CreateAppAsync(AppRequest request, CancellationToken cancel) =>
        SendAsync<AppCreated>(HttpMethod.Post, "api/v1/apps", request, cancel);

    public Task<Page<AppView>> ListAppsAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<AppView>>("api/v1/apps" + Query(("after", after)), cancel);

    public Task<AppView> GetAppAsync(string slug, CancellationToken cancel) =>
        GetAsync<AppView>($"api/v1/apps/{Uri.EscapeDataString(slug)}", cancel);

    public async Task DeleteAppAsync(string slug, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/apps/{Uri.EscapeDataString(slug)}", null, cancel);
    }

    public Task<InvokeReply> InvokeAppAsync(string slug, IReadOnlyDictionary<string, JsonElement> inputs, CancellationToken cancel) =>
        SendAsync<InvokeReply>(HttpMethod.Post, $"api/v1/apps/{Uri.EscapeDataString(slug)}/invoke", new InvokeRequest { Inputs = inputs }, cancel);
}
