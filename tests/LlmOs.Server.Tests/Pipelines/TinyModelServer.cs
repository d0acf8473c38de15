using System.Collections.Concurrent;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Pipelines;

/// <summary>A server into which the tiny models of the shared folder are imported as tests ask for them.</summary>
public sealed class TinyModelServer : ServerProcess
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _imports = new();

    protected override bool StartsAtOnce => false;

    protected override ServerStart Start => new()
    {
        Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = ModelServer.ImportFolder },
    };

    /// <summary>A client of the server, once the model is there under its folder's name.</summary>
    public async Task<HttpClient> WithAsync(string model)
    {
        SharedFolder.Require("models", "hf-tiny", model);
        var client = await StartedAsync();
        await _imports.GetOrAdd(model, name => new Lazy<Task>(() => ModelServer.ImportAsync(this, name, "models", "hf-tiny", name))).Value;
        return client;
    }
}
