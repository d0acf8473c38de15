using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Network;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Pull;

/// <summary>A file of a repository, as the hub lists it.</summary>
/// <param name="Sha256">Of the content, for files in large-file storage.</param>
/// <param name="GitHash">SHA-1 of git's blob, for the others.</param>
internal sealed record HubFile(string Path, long Bytes, string? Sha256, string? GitHash);

/// <summary>
/// The routes of the Hugging Face hub that a pull needs: <c>/api/models/{id}/revision/{rev}</c>,
/// <c>/api/models/{id}/tree/{commit}</c> and <c>/{id}/resolve/{commit}/{path}</c>, and the same below <c>datasets</c>. The token goes to the hub's own host
/// and to no other, also when the hub redirects to one.
/// </summary>
internal sealed class HubClient(Egress egress, Retries retries, LlmOsSettings settings)
{
    private const int MaxAnswerBytes = 32 << 20;
    private const int MaxPages = 100;

    /// <summary>Refuses, without asking anybody, when the hub may not be called.</summary>
    public void Check() => egress.Check(settings.HubEndpoint, "source");

    /// <summary>The commit that a revision stands for now.</summary>
    public async Task<string> ResolveAsync(HubReference reference, CancellationToken cancel)
    {
        using var answer = await GetJsonAsync(At($"{Api(reference)}/revision/{Uri.EscapeDataString(reference.Revision)}"), reference, cancel);
        return answer.Document.RootElement.TryGetProperty("sha", out var sha) && sha.ValueKind == JsonValueKind.String && sha.GetString() is { Length: 40 } commit && commit.All(char.IsAsciiHexDigit)
            ? commit
            : throw NotAHub($"/{Api(reference)}/revision answers without a commit");
    }

    /// <summary>Every file of a commit.</summary>
    public async Task<IReadOnlyList<HubFile>> ListAsync(HubReference reference, string commit, CancellationToken cancel)
    {
        List<HubFile> files = [];
        Uri? next = At($"{Api(reference)}/tree/{commit}?recursive=true");
        for (var page = 0; next is not null && page < MaxPages; page++)
        {
            using var answer = await GetJsonAsync(next, reference, cancel);
            if (answer.Document.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw NotAHub("the list of files is no list");
            }

            files.AddRange(answer.Document.RootElement.EnumerateArray().Where(IsFile).Select(ReadFile));
            next = answer.Next;
        }

        return files;
    }

    /// <summary>Where a file's content is, and how to ask for it.</summary>
    public Download DownloadOf(HubReference reference, string commit, HubFile file, string target) => new(
        At($"{(reference.IsDataset ? "datasets/" : "")}{reference.Repository}/resolve/{commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}"),
        target,
        file.Path)
    {
        Bytes = file.Bytes,
        Sha256 = file.Sha256,
        GitHash = file.GitHash,
        Make = Make,
        Refuse = response => Refusal(response, reference),
    };

    private static string Api(HubReference reference) => $"api/{(reference.IsDataset ? "datasets" : "models")}/{reference.Repository}";

    private static bool IsFile(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("type", out var type) && type.ValueEquals("file");

    private static HubFile ReadFile(JsonElement entry)
    {
        try
        {
            var lfs = entry.TryGetProperty("lfs", out var stored) && stored.ValueKind == JsonValueKind.Object ? stored : (JsonElement?)null;
            return new HubFile(
                entry.GetProperty("path").GetString()!,
                (lfs ?? entry).GetProperty("size").GetInt64(),
                lfs?.GetProperty("oid").GetString() is { } oid ? Hash(oid, 64) : null,
                lfs is null && entry.TryGetProperty("oid", out var blob) ? Hash(blob.GetString()!, 40) : null);
        }
        catch (Exception fault) when (fault is KeyNotFoundException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw NotAHub("an entry of the list of files is none", fault);
        }
    }

    private static string Hash(string text, int length)
    {
        var hash = text.StartsWith("sha256:", StringComparison.Ordinal) ? text["sha256:".Length..] : text;
        return hash.Length == length && hash.All(char.IsAsciiHexDigit) ? hash.ToLowerInvariant() : throw NotAHub($"'{ModelName.Shorten(text)}' is no hash");
    }

    private Uri At(string path) => new(settings.HubEndpoint, path);

    /// <summary>The token is for this host, port and scheme alone.</summary>
    private HttpRequestMessage Make(Uri uri)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (settings.HubToken is { } token && (uri.Scheme, uri.IdnHost, uri.Port) == (settings.HubEndpoint.Scheme, settings.HubEndpoint.IdnHost, settings.HubEndpoint.Port))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }

    private async Task<HubAnswer> GetJsonAsync(Uri uri, HubReference reference, CancellationToken cancel) =>
        await retries.RunAsync("the hub", async (_, cancel) =>
        {
            using var response = await egress.SendAsync(uri, Make, cancel);
            Retries.ThrowIfTransient(response);
            if (!response.IsSuccessStatusCode)
            {
                throw Refusal(response, reference);
            }

            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            var bytes = await Bounded.ReadAsync(body, MaxAnswerBytes, cancel) ?? throw NotAHub($"an answer has more than {MaxAnswerBytes} bytes");
            try
            {
                return new HubAnswer(JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 }), NextOf(response));
            }
            catch (JsonException fault)
            {
                throw NotAHub("an answer is not JSON", fault);
            }
        }, cancel);

    /// <summary>The next page of a list: <c>Link: &lt;...&gt;; rel="next"</c>, which must stay on the hub.</summary>
    private Uri? NextOf(HttpResponseMessage response)
    {
        foreach (var link in response.Headers.TryGetValues("Link", out var links) ? links.SelectMany(l => l.Split(',')) : [])
        {
            var (open, close) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
            if (open >= 0 && close > open && link.Contains("rel=\"next\"", StringComparison.Ordinal) && Uri.TryCreate(settings.HubEndpoint, link[(open + 1)..close], out var next))
            {
                return next;
            }
        }

        return null;
    }

    /// <summary>What a status of the hub means to who asked for a model.</summary>
    private LlmOsException Refusal(HttpResponseMessage response, HubReference reference)
    {
        var code = response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.FirstOrDefault() : null;
        return (response.StatusCode, code) switch
        {
            (_, "GatedRepo") => new LlmOsException(ErrorCode.NotAllowed, $"The hub gives '{reference.Repository}' only to those who accepted its terms.")
            {
                Field = "source",
                Hint = $"Accept them at {new Uri(settings.HubEndpoint, reference.Repository)}, and set HF_TOKEN to a token of that account.",
            },
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, _) => new LlmOsException(ErrorCode.NotAllowed, $"The hub does not give '{reference.Repository}' to this server: it is private, or there is no such repository.")
            {
                Field = "source",
                Hint = settings.HubToken is null ? "Set HF_TOKEN to a token that may read it, and look at the spelling." : "HF_TOKEN is set, but that token may not read it.",
            },
            (HttpStatusCode.NotFound, "RevisionNotFound") => new LlmOsException(ErrorCode.MissingFile, $"'{reference.Repository}' has no revision '{reference.Revision}'.") { Field = "source" },
            (HttpStatusCode.NotFound, _) => new LlmOsException(ErrorCode.MissingFile, $"The hub has no '{reference.Repository}', or not that file or revision of it.") { Field = "source" },
            _ => new LlmOsException(ErrorCode.Unavailable, $"The hub answers {(int)response.StatusCode} for '{reference.Repository}'."),
        };
    }

    private static LlmOsException NotAHub(string what, Exception? cause = null)
    {
        var message = $"What answers as the hub does not speak as it does: {what}.";
        const string Hint = "Look at HF_ENDPOINT.";
        return cause is null ? new LlmOsException(ErrorCode.CorruptFile, message) { Hint = Hint } : new LlmOsException(ErrorCode.CorruptFile, message, cause) { Hint = Hint };
    }

    private sealed record HubAnswer(JsonDocument Document, Uri? Next) : IDisposable
    {
        public void Dispose() => Document.Dispose();
    }
}
