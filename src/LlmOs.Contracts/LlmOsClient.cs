using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>
/// The platform over HTTP: models, jobs, training, apps and generation, in the records of this library.
/// A refusal is thrown as <see cref="LlmOsApiException"/>, a server that does not answer as <see cref="HttpRequestException"/>.
/// </summary>
/// <param name="http">Its base address is the server's root. Its time-out must be infinite, since replies stream; bound calls by their token.</param>
public sealed partial class LlmOsClient(HttpClient http) : IDisposable
{
    /// <summary>A client of its own connection pool, to be disposed.</summary>
    /// <param name="key">Sent as a bearer token; null sends none.</param>
    public static LlmOsClient Create(Uri address, string? key)
    {
        var http = new HttpClient
        {
            BaseAddress = new Uri(address.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (!string.IsNullOrEmpty(key))
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return new LlmOsClient(http);
    }

    public Uri Address => http.BaseAddress!;

    public void Dispose() => http.Dispose();

    private async Task<T> GetAsync<T>(string path, CancellationToken cancel) => await SendAsync<T>(HttpMethod.Get, path, null, cancel);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancel)
    {
        using var response = await SendAsync(method, path, body, cancel);
        return Read<T>(await response.Content.ReadAsStringAsync(cancel));
    }

    /// <summary>Sends, and throws the refusal of any status outside 2xx. The content is not buffered.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body, body.GetType(), options: LlmOsJson.Options);
        }

        return await SendAsync(request, cancel);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await LlmOsApiException.FromAsync(response, cancel);
        }
    }

    private T Read<T>(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, LlmOsJson.Options) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException e)
        {
            throw new HttpRequestException($"What answers at {Address} does not speak as an LlmOs server does.", e);
        }
    }

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> parts)
    {
        var query = "";
        foreach (var (name, value) in parts)
        {
            if (value is not null)
            {
                query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
            }
        }

        return query;
    }
}
