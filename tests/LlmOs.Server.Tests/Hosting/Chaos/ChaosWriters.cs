#if LONG_TESTS
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting.Chaos;

/// <summary>Fifty callers that write whatever happens to the server, and keep what it answered to with success.</summary>
internal sealed class ChaosWriters(Func<ServerProcess> server) : IDisposable
{
    private const int Callers = 50;

    private static readonly HttpStatusCode[] Refusals = [HttpStatusCode.ServiceUnavailable, HttpStatusCode.InsufficientStorage, HttpStatusCode.TooManyRequests, HttpStatusCode.Conflict];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false }) { Timeout = TimeSpan.FromMinutes(5) };
    private readonly ConcurrentDictionary<HttpStatusCode, int> _answers = new();
    private int _done;

    /// <summary>Keys that must work, by their ids.</summary>
    public ConcurrentDictionary<string, string> Keys { get; } = new();

    /// <summary>Keys that must not work any more.</summary>
    public ConcurrentBag<string> Revoked { get; } = [];

    /// <summary>Hashes of files that must be there.</summary>
    public ConcurrentBag<string> Blobs { get; } = [];

    public ConcurrentDictionary<string, bool> Aliases { get; } = new();

    public ConcurrentBag<string> Jobs { get; } = [];

    /// <summary>Answers that nobody should ever get.</summary>
    public ConcurrentBag<string> Faults { get; } = [];

    public string Summary => string.Join(", ", _answers.OrderBy(a => a.Key).Select(a => $"{(int)a.Key}: {a.Value}"));

    public void Dispose() => _http.Dispose();

    public int Seen(HttpStatusCode code) => _answers.GetValueOrDefault(code);

    /// <summary>Lets the callers write while something is done to the server, and until many have been answered after it.</summary>
    public async Task WhileAsync(Func<Task> disturb, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var callers = Enumerable.Range(0, Callers).Select(i => Task.Run(() => CallAsync(i, stop.Token), cancel)).ToList();
        await UntilDoneAsync(Callers, callers, cancel);
        await disturb();
        await UntilDoneAsync(2 * Callers, callers, cancel);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
    }

    /// <summary>Waits until the callers have met an answer more often than before.</summary>
    public async Task UntilAnsweredAsync(HttpStatusCode code, int before, CancellationToken cancel)
    {
        while (Seen(code) <= before)
        {
            await Task.Delay(20, cancel);
        }
    }

    private async Task UntilDoneAsync(int more, List<Task> callers, CancellationToken cancel)
    {
        for (var end = Volatile.Read(ref _done) + more; Volatile.Read(ref _done) < end;)
        {
            if (callers.FirstOrDefault(c => c.IsFaulted) is { } broken)
            {
                await broken;
            }

            await Task.Delay(20, cancel);
        }
    }

    private async Task CallAsync(int caller, CancellationToken stop)
    {
        for (var round = caller; !stop.IsCancellationRequested; round++)
        {
            try
            {
                await OnceAsync(caller, round);
            }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
            {
                // Nobody knows whether it was done: it is neither promised nor forbidden.
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    private async Task OnceAsync(int caller, int round)
    {
        switch (round % 5)
        {
            case 0:
                if (await SendAsync(HttpMethod.Post, "/api/v1/keys", Json.Body(new { name = $"of {caller}", scopes = new[] { "inference" } })) is { } made)
                {
                    Keys[Text(made, "id")] = Text(made, "key");
                }

                break;
            case 1 when Keys.Keys.FirstOrDefault() is { } id && Keys.TryRemove(id, out var key):
                if (await SendAsync(HttpMethod.Delete, $"/api/v1/keys/{id}", null) is not null)
                {
                    Revoked.Add(key);
                }

                break;
            case 2:
                var content = RandomNumberGenerator.GetBytes(1_000 + (round % 10_000));
                if (await SendAsync(HttpMethod.Post, "/api/v1/uploads", Json.Body(new { filename = "f", bytes = content.Length })) is { } begun
                    && await SendAsync(HttpMethod.Put, $"/api/v1/uploads/{Text(begun, "id")}", new ByteArrayContent(content)) is { } whole)
                {
                    Blobs.Add(Text(whole, "sha256"));
                }

                break;
            case 3:
                if (await SendAsync(HttpMethod.Put, $"/api/v1/models/starter/aliases/c{caller}", Json.Body(new { version = 1 })) is not null)
                {
                    Aliases[$"c{caller}"] = true;
                }

                break;
            case 4 when round % 40 == 4:
                if (await SendAsync(HttpMethod.Post, "/api/v1/artifacts/verify", Json.Raw("{}")) is { } job)
                {
                    Jobs.Add(Text(job.GetProperty("job"), "id"));
                }

                break;
            default:
                await SendAsync(HttpMethod.Post, "/v1/completions", Json.Body(new { model = "starter", prompt = "Once", max_tokens = 1 }));
                break;
        }
    }

    /// <summary>What it was answered with; null where it was refused in a way that may be.</summary>
    private async Task<JsonElement?> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, new Uri(server().Address, path)) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ServerProcess.AdminKey);
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        _answers.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        Interlocked.Increment(ref _done);
        if (answer.IsSuccessStatusCode)
        {
            return text.Length == 0 ? default(JsonElement) : Json.Parse(text);
        }

        if (!Refusals.Contains(answer.StatusCode))
        {
            Faults.Add($"{method} {path}: {(int)answer.StatusCode} {text}");
        }

        await Task.Delay(20);
        return null;
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
#endif
