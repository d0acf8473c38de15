using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>A server whose models decode four sequences at a time, a few tokens ahead of their readers.</summary>
public sealed class FewSlotsServer : ServerProcess
{
    public const string Stories = ModelServer.Stories;
    public const string Translator = "marian";

    private readonly SemaphoreSlim _importing = new(1, 1);
    private bool _imported;

    protected override bool StartsAtOnce => false;

    protected override ServerStart Start => new()
    {
        Environment = new Dictionary<string, string?>
        {
            ["LLMOS_IMPORT_DIRS"] = ModelServer.ImportFolder,
            ["Engine__Slots"] = "4",
            ["Engine__PieceBuffer"] = "4",
            ["Engine__MaxQueued"] = "60",
        },
    };

    /// <summary>A client of the server, once the models are there.</summary>
    public async Task<HttpClient> ReadyAsync()
    {
        SharedFolder.Require("models", "hf-tiny");
        var client = await StartedAsync();
        await _importing.WaitAsync();
        try
        {
            if (!_imported)
            {
                await ModelServer.ImportAsync(this, Stories, "models", "stories260K", "hf");
                await ModelServer.ImportAsync(this, Translator, "models", "hf-tiny", "marian");
                _imported = true;
            }
        }
        finally
        {
            _importing.Release();
        }

        return client;
    }

    /// <summary>A client with a key of its own.</summary>
    public async Task<HttpClient> CallerAsync()
    {
        using var admin = await ReadyAsync();
        using var made = await admin.PostAsync("/api/v1/keys", Json.Body(new { name = "caller", scopes = new[] { "inference" } }));
        return Client(Json.Parse(await made.Content.ReadAsStringAsync()).GetProperty("key").GetString());
    }
}
