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
    public Task<HttpClient> WithAsync(string model) => WithAsync(model, "models", "hf-tiny", model);

    /// <summary>A client of the server, once a folder of the shared folder is there under a name.</summary>
    public async Task<HttpClient> WithAsync(string name, params string[] path)
    {
        SharedFolder.Require(path);
        var client = await StartedAsync();
        await _imports.GetOrAdd(name, _ => new Lazy<Task>(() => ModelServer.ImportAsync(this, name, path))).Value;
        return client;
    }
}
