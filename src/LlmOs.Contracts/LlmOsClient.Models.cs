using System.Globalization;
using System.Net.Http.Headers;
using LlmOs.Contracts.OpenAi;

namespace LlmOs.Contracts;

/// <summary>A model that can be named in requests, and whether it is in memory.</summary>
/// <param name="MemoryBytes">Null while it is not loaded.</param>
public sealed record ServedModel(string Id, string Version, long? MemoryBytes, IReadOnlyList<string> Capabilities);

/// <content>Models, uploads, imports, tokens and templates.</content>
public sealed partial class LlmOsClient
{
    public Task<Page<ModelView>> ListModelsAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<ModelView>>("api/v1/models" + Query(("after", after)), cancel);

    /// <summary>The models whose name holds a text; the first <paramref name="limit"/> of them.</summary>
    public Task<Page<ModelView>> SearchModelsAsync(string search, int limit, CancellationToken cancel) =>
        GetAsync<Page<ModelView>>("api/v1/models" + Query(("query", search.Length > 0 ? search : null), ("limit", limit.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>What can be named in requests, with the memory that it takes now.</summary>
    public async Task<IReadOnlyList<ServedModel>> ListServedModelsAsync(CancellationToken cancel) =>
        [.. (await GetAsync<ListObject<ModelObject>>("v1/models", cancel)).Data.Select(m => new ServedModel(m.Id, m.Llmos.Version, m.Llmos.MemoryBytes, m.Llmos.Capabilities))];

    /// <summary>What is in the memory of the server that answers.</summary>
    public Task<Page<RunningModel>> ListRunningAsync(CancellationToken cancel) => GetAsync<Page<RunningModel>>("api/v1/running", cancel);

    /// <summary>Loads a model (name, <c>name:3</c>, <c>name:alias</c>); answers when it is there, with what is in memory then.</summary>
    public Task<Page<RunningModel>> LoadModelAsync(string name, LoadRequest request, CancellationToken cancel) =>
        SendAsync<Page<RunningModel>>(HttpMethod.Post, $"api/v1/models/{Uri.EscapeDataString(name)}/load", request, cancel);

    /// <summary>Unloads a model as soon as no request holds it; answers with what is in memory then.</summary>
    public Task<Page<RunningModel>> UnloadModelAsync(string name, CancellationToken cancel) =>
        SendAsync<Page<RunningModel>>(HttpMethod.Post, $"api/v1/models/{Uri.EscapeDataString(name)}/unload", null, cancel);

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
}
