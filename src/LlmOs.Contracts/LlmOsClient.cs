using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using LlmOs.Contracts.OpenAi;

namespace LlmOs.Contracts;

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
public sealed record ChatTurn(string Role, string Content);

/// <summary>How a reply is generated; what is null is left to the server.</summary>
public sealed record GenerationSettings
{
    public int? MaxTokens { get; init; }

    /// <summary>0 is greedy.</summary>
    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public long? Seed { get; init; }

    /// <summary>Whether each piece says how many tokens it holds.</summary>
    public bool CountTokens { get; init; }

    /// <summary>How many candidates each token's place is shown with, at most 5; null: no probabilities.</summary>
    public int? Candidates { get; init; }
}

/// <summary>One piece of a streamed reply.</summary>
/// <param name="Text">New text; empty in the pieces that only close the reply.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>, on one of the last pieces.</param>
/// <param name="CompletionTokens">Tokens of the whole reply, on the very last piece.</param>
/// <param name="Tokens">Tokens of this piece, where <see cref="GenerationSettings.CountTokens"/> asked for them.</param>
/// <param name="Usage">What the reply cost, on the very last piece.</param>
/// <param name="Probabilities">Of each token of this piece, where <see cref="GenerationSettings.Candidates"/> asked for them.</param>
public sealed record ReplyPiece(
    string Text, string? FinishReason, int? CompletionTokens, int Tokens = 0, Usage? Usage = null, IReadOnlyList<TokenLogprobEntry>? Probabilities = null);

/// <summary>A model that can be named in requests, and whether it is in memory.</summary>
/// <param name="MemoryBytes">Null while it is not loaded.</param>
public sealed record ServedModel(string Id, string Version, long? MemoryBytes, IReadOnlyList<string> Capabilities);

/// <summary>
/// The platform over HTTP: models, jobs, training, apps and generation, in the records of this library.
/// A refusal is thrown as <see cref="LlmOsApiException"/>, a server that does not answer as <see cref="HttpRequestException"/>.
/// </summary>
/// <param name="http">Its base address is the server's root. Its time-out must be infinite, since replies stream; bound calls by their token.</param>
public sealed class LlmOsClient(HttpClient http) : IDisposable
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

    // Models.

    public Task<Page<ModelView>> ListModelsAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<ModelView>>("api/v1/models" + Query(("after", after)), cancel);

    /// <summary>The models whose name holds a text; the first <paramref name="limit"/> of them.</summary>
    public Task<Page<ModelView>> SearchModelsAsync(string search, int limit, CancellationToken cancel) =>
        GetAsync<Page<ModelView>>("api/v1/models" + Query(("search", search.Length > 0 ? search : null), ("limit", limit.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>What can be named in requests, with the memory that it takes now.</summary>
    public async Task<IReadOnlyList<ServedModel>> ListServedModelsAsync(CancellationToken cancel) =>
        [.. (await GetAsync<ListObject<ModelObject>>("v1/models", cancel)).Data.Select(m => new ServedModel(m.Id, m.Llmos.Version, m.Llmos.MemoryBytes, m.Llmos.Capabilities))];

    public Task<ModelView> GetModelAsync(string name, CancellationToken cancel) =>
        GetAsync<ModelView>($"api/v1/models/{Uri.EscapeDataString(name)}", cancel);

    public Task<ModelVersionView> GetVersionAsync(string name, int version, CancellationToken cancel) =>
        GetAsync<ModelVersionView>($"api/v1/models/{Uri.EscapeDataString(name)}/versions/{version}", cancel);

    public Task<AliasView> SetAliasAsync(string name, string alias, AliasRequest request, CancellationToken cancel) =>
        SendAsync<AliasView>(HttpMethod.Put, $"api/v1/models/{Uri.EscapeDataString(name)}/aliases/{Uri.EscapeDataString(alias)}", request, cancel);

    /// <summary>The version that a word means: a name (its alias latest, else its newest version), <c>name:3</c>, <c>name:alias</c> or <c>name@alias</c>.</summary>
    public async Task<(string Name, int Version)> FindVersionAsync(string model, CancellationToken cancel)
    {
        var at = model.LastIndexOfAny([':', '@']);
        var (name, selector) = at > 0 && !model.StartsWith("ft:", StringComparison.Ordinal) ? (model[..at], model[(at + 1)..]) : (model, null);
        if (int.TryParse(selector, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return (name, number);
        }

        var found = await GetModelAsync(name, cancel);
        if (found.Aliases.TryGetValue(selector ?? "latest", out var version))
        {
            return (name, version);
        }

        return selector is null && found.Versions.Count > 0
            ? (name, found.Versions.Max())
            : throw new LlmOsApiException(System.Net.HttpStatusCode.NotFound, ErrorCode.ModelNotFound.ToWord(), selector is null ? $"The model '{name}' has no version." : $"The model '{name}' has no alias '{selector}'.");
    }

    public Task<CardView> GetCardAsync(string name, CancellationToken cancel) =>
        GetAsync<CardView>($"api/v1/models/{Uri.EscapeDataString(name)}/card", cancel);

    public Task<LineageGraph> GetLineageAsync(string name, int version, CancellationToken cancel) =>
        GetAsync<LineageGraph>($"api/v1/models/{Uri.EscapeDataString(name)}/versions/{version}/lineage", cancel);

    public Task<ModelJobResult> CopyVersionAsync(string name, int version, CopyRequest request, CancellationToken cancel) =>
        SendAsync<ModelJobResult>(HttpMethod.Post, $"api/v1/models/{Uri.EscapeDataString(name)}/versions/{version}/copy", request, cancel);

    /// <summary>A file of a version, as text.</summary>
    public async Task<string> ReadFileAsync(string name, int version, string path, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Get, $"api/v1/models/{Uri.EscapeDataString(name)}/versions/{version}/files/{path}", null, cancel);
        return await response.Content.ReadAsStringAsync(cancel);
    }

    public async Task DeleteModelAsync(string name, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/models/{Uri.EscapeDataString(name)}", null, cancel);
    }

    public async Task DeleteVersionAsync(string name, int version, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/models/{Uri.EscapeDataString(name)}/versions/{version}", null, cancel);
    }

    /// <summary>Well-known open models that can be pulled.</summary>
    public Task<Page<CatalogueEntry>> ListCatalogueAsync(CancellationToken cancel) =>
        GetAsync<Page<CatalogueEntry>>("api/v1/catalogue", cancel);

    // Uploads.

    public Task<UploadView> BeginUploadAsync(UploadRequest request, CancellationToken cancel) =>
        SendAsync<UploadView>(HttpMethod.Post, "api/v1/uploads", request, cancel);

    public Task<UploadView> GetUploadAsync(string id, CancellationToken cancel) =>
        GetAsync<UploadView>($"api/v1/uploads/{Uri.EscapeDataString(id)}", cancel);

    /// <summary>Sends the next piece, from where the upload stands.</summary>
    public async Task<UploadView> AppendToUploadAsync(UploadView upload, ReadOnlyMemory<byte> piece, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"api/v1/uploads/{Uri.EscapeDataString(upload.Id)}") { Content = new ReadOnlyMemoryContent(piece) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        request.Content.Headers.ContentRange = new ContentRangeHeaderValue(upload.Received, upload.Received + piece.Length - 1, upload.Bytes);
        using var response = await http.SendAsync(request, cancel);
        return response.IsSuccessStatusCode
            ? Read<UploadView>(await response.Content.ReadAsStringAsync(cancel))
            : throw await LlmOsApiException.FromAsync(response, cancel);
    }

    // Imports.

    /// <summary>Starts an import; the job's result is a <see cref="ModelJobResult"/>.</summary>
    public async Task<JobView> ImportAsync(ImportRequest request, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/models/import", request, cancel)).Job;

    // Tokens and templates.

    /// <summary>Ids of a text; of a conversation, use <c>/tokenize</c> with messages directly.</summary>
    public Task<TokenizeContentReply> TokenizeAsync(TokenizeRequest request, CancellationToken cancel) =>
        SendAsync<TokenizeContentReply>(HttpMethod.Post, "tokenize", request, cancel);

    public Task<DetokenizeReply> DetokenizeAsync(DetokenizeRequest request, CancellationToken cancel) =>
        SendAsync<DetokenizeReply>(HttpMethod.Post, "detokenize", request, cancel);

    /// <summary>The prompt that a model's chat template makes of messages.</summary>
    public Task<ApplyTemplateReply> ApplyTemplateAsync(ApplyTemplateRequest request, CancellationToken cancel) =>
        SendAsync<ApplyTemplateReply>(HttpMethod.Post, "apply-template", request, cancel);

    /// <summary>What a chat template makes of messages as they are.</summary>
    public Task<RenderTemplateReply> RenderTemplateAsync(RenderTemplateRequest request, CancellationToken cancel) =>
        SendAsync<RenderTemplateReply>(HttpMethod.Post, "api/v1/chat-templates/render", request, cancel);

    // Jobs.

    /// <summary>Starts a training job from a specification (CONTRACT, section 7), sent as it is.</summary>
    public async Task<JobView> TrainAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/training", specification, cancel)).Job;

    /// <summary>Starts an evaluation job from a specification (CONTRACT, section 7), sent as it is.</summary>
    public async Task<JobView> EvaluateAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/evaluations", specification, cancel)).Job;

    /// <summary>Compares two evaluations of the same data, each an evaluation's id or a model.</summary>
    public Task<EvaluationComparisonView> CompareEvaluationsAsync(EvaluationComparisonRequest request, CancellationToken cancel) =>
        SendAsync<EvaluationComparisonView>(HttpMethod.Post, "api/v1/evaluations/compare", request, cancel);

    public Task<Page<JobView>> ListJobsAsync(string? kind, JobState? state, int? limit, string? after, CancellationToken cancel) =>
        GetAsync<Page<JobView>>(
            "api/v1/jobs" + Query(("kind", kind), ("state", state?.ToWord()), ("limit", limit?.ToString(CultureInfo.InvariantCulture)), ("after", after)),
            cancel);

    /// <param name="waitSeconds">Holds the answer until the job ends or the seconds are over; 0 answers at once.</param>
    public Task<JobView> GetJobAsync(string id, int waitSeconds, CancellationToken cancel) =>
        GetAsync<JobView>($"api/v1/jobs/{Uri.EscapeDataString(id)}" + Query(("wait", waitSeconds > 0 ? waitSeconds.ToString(CultureInfo.InvariantCulture) : null)), cancel);

    /// <summary>The job's state about once a second, the last one being its end or a pause. Leaving the loop does not touch the job.</summary>
    public async IAsyncEnumerable<JobView> WatchJobAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        var waitSeconds = 0;
        while (true)
        {
            var job = await GetJobAsync(id, waitSeconds, cancel);
            yield return job;
            if (job.State is JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Paused)
            {
                yield break;
            }

            waitSeconds = 1;
        }
    }

    /// <param name="action"><c>cancel</c>, <c>pause</c>, <c>resume</c> or <c>retry</c>.</param>
    public Task<JobView> ChangeJobAsync(string id, string action, CancellationToken cancel) =>
        SendAsync<JobView>(HttpMethod.Post, $"api/v1/jobs/{Uri.EscapeDataString(id)}/{action}", null, cancel);

    /// <summary>Starts a job of any kind, after others where it says so.</summary>
    public async Task<JobView> SubmitJobAsync(JobRequest request, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/jobs", request, cancel)).Job;

    /// <summary>A page of the job's history, the oldest line first.</summary>
    public Task<Page<JobEventView>> ListJobEventsAsync(string id, string? after, int? limit, CancellationToken cancel) =>
        GetAsync<Page<JobEventView>>($"api/v1/jobs/{Uri.EscapeDataString(id)}/events" + Query(("after", after), ("limit", limit?.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>The lines of the job's history after <paramref name="after"/> and then each as it is written, until the job is over or the host stops.</summary>
    /// <param name="after">The id of the last line that is known; 0 begins at the start.</param>
    public async IAsyncEnumerable<JobEventView> FollowJobAsync(string id, long after, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/jobs/{Uri.EscapeDataString(id)}/events" + Query(("after", after.ToString(CultureInfo.InvariantCulture))));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await SendAsync(request, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancel))
        {
            yield return Read<JobEventView>(item.Data);
        }
    }

    /// <summary>A page of the job's log, the oldest line first.</summary>
    public Task<Page<JobLogView>> ListJobLogsAsync(string id, string? after, int? limit, CancellationToken cancel) =>
        GetAsync<Page<JobLogView>>($"api/v1/jobs/{Uri.EscapeDataString(id)}/logs" + Query(("after", after), ("limit", limit?.ToString(CultureInfo.InvariantCulture))), cancel);

    public Task<Page<NodeView>> ListNodesAsync(CancellationToken cancel) => GetAsync<Page<NodeView>>("api/v1/nodes", cancel);

    // Keys.

    /// <summary>Makes a key; the answer is the only place where it can be read.</summary>
    public Task<CreatedKey> CreateKeyAsync(CreateKeyRequest request, CancellationToken cancel) =>
        SendAsync<CreatedKey>(HttpMethod.Post, "api/v1/keys", request, cancel);

    public Task<Page<KeyView>> ListKeysAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<KeyView>>("api/v1/keys" + Query(("after", after)), cancel);

    public async Task RevokeKeyAsync(string id, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/keys/{Uri.EscapeDataString(id)}", null, cancel);
    }

    // Users.

    public Task<UserView> CreateUserAsync(CreateUserRequest request, CancellationToken cancel) =>
        SendAsync<UserView>(HttpMethod.Post, "api/v1/users", request, cancel);

    public Task<Page<UserView>> ListUsersAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<UserView>>("api/v1/users" + Query(("after", after)), cancel);

    /// <summary>Sets what is not null; the user's sessions end.</summary>
    public Task<UserView> ChangeUserAsync(string name, ChangeUserRequest request, CancellationToken cancel) =>
        SendAsync<UserView>(HttpMethod.Patch, $"api/v1/users/{Uri.EscapeDataString(name)}", request, cancel);

    public async Task DeleteUserAsync(string name, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Delete, $"api/v1/users/{Uri.EscapeDataString(name)}", null, cancel);
    }

    /// <summary>Changes the password of the user who is signed in; their sessions end, this one too.</summary>
    public async Task ChangePasswordAsync(ChangePasswordRequest request, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Post, "api/v1/users/me/password", request, cancel);
    }

    // Apps.

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

    // Generation.

    /// <summary>A reply to a conversation, piece by piece. Leaving the loop stops the generation.</summary>
    public IAsyncEnumerable<ReplyPiece> ChatAsync(string model, IReadOnlyList<ChatTurn> messages, GenerationSettings settings, CancellationToken cancel) =>
        StreamAsync("v1/chat/completions", GenerationBody.Of(model, messages, null, settings), cancel);

    /// <summary>The continuation of a text, piece by piece. Leaving the loop stops the generation.</summary>
    public IAsyncEnumerable<ReplyPiece> CompleteAsync(string model, string prompt, GenerationSettings settings, CancellationToken cancel) =>
        StreamAsync("v1/completions", GenerationBody.Of(model, null, prompt, settings), cancel);

    public void Dispose() => http.Dispose();

    private async IAsyncEnumerable<ReplyPiece> StreamAsync(string path, GenerationBody body, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancel))
        {
            if (item.Data == "[DONE]")
            {
                yield break;
            }

            var chunk = Read<Chunk>(item.Data);
            if (chunk.Error is { } error)
            {
                throw new LlmOsApiException(response.StatusCode, error.Code ?? "stream_failed", error.Message ?? "The server ended the reply with an error.");
            }

            var choice = chunk.Choices is [var first, ..] ? first : null;
            yield return new ReplyPiece(choice?.Delta?.Content ?? choice?.Text ?? "", choice?.FinishReason, chunk.Usage?.CompletionTokens, choice?.TokenIds?.Count ?? 0, chunk.Usage, choice?.Logprobs?.Entries());
        }

        throw new HttpRequestException("The server closed the connection in the middle of a reply.");
    }

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

    /// <summary>The fields of both routes; what is null is not sent.</summary>
    private sealed record GenerationBody(
        string Model,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ChatTurn>? Messages,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Prompt,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MaxTokens,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Temperature,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? TopP,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Seed,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? ReturnTokenIds,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Logprobs,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? TopLogprobs,
        bool Stream,
        StreamOptions StreamOptions)
    {
        public static GenerationBody Of(string model, IReadOnlyList<ChatTurn>? messages, string? prompt, GenerationSettings settings) =>
            new(
                model,
                messages,
                prompt,
                settings.MaxTokens,
                settings.Temperature,
                settings.TopP,
                settings.Seed,
                settings.CountTokens ? true : null,
                LogprobsOf(messages is not null, settings.Candidates),
                messages is not null ? settings.Candidates : null,
                Stream: true,
                new StreamOptions(IncludeUsage: true));

        /// <summary>A switch beside <c>top_logprobs</c> on chat, the number itself on completions.</summary>
        private static JsonElement? LogprobsOf(bool isChat, int? candidates) => candidates is not { } number
            ? null
            : isChat ? JsonSerializer.SerializeToElement(true) : JsonSerializer.SerializeToElement(number);
    }

    private sealed record StreamOptions(bool IncludeUsage);

    private sealed record Chunk(IReadOnlyList<ChunkChoice>? Choices, Usage? Usage, ChunkError? Error);

    private sealed record ChunkChoice(string? Text, ChunkDelta? Delta, string? FinishReason, IReadOnlyList<int>? TokenIds, ChunkLogprobs? Logprobs);

    /// <summary>Of chat: <see cref="Content"/>. Of completions: parallel lists.</summary>
    private sealed record ChunkLogprobs(
        IReadOnlyList<TokenLogprobEntry>? Content,
        IReadOnlyList<string>? Tokens,
        IReadOnlyList<float?>? TokenLogprobs,
        IReadOnlyList<IReadOnlyDictionary<string, float>?>? TopLogprobs)
    {
        public IReadOnlyList<TokenLogprobEntry> Entries()
        {
            if (Content is not null || Tokens is null)
            {
                return Content ?? [];
            }

            return [.. Tokens.Select((token, i) => new TokenLogprobEntry(token, TokenLogprobs?[i] ?? 0, null, Top(i)))];
        }

        private List<TopLogprobEntry> Top(int i) =>
            TopLogprobs?[i] is { } top ? [.. top.OrderByDescending(t => t.Value).Select(t => new TopLogprobEntry(t.Key, t.Value, null))] : [];
    }

    private sealed record ChunkDelta(string? Content);

    private sealed record ChunkError(string? Message, string? Code);
}
