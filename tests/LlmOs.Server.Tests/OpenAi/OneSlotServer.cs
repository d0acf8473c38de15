using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>A server whose models decode one sequence at a time and let one wait.</summary>
public sealed class OneSlotServer : ServerProcess
{
    public const string Name = ModelServer.Stories;

    protected override bool StartsAtOnce => false;

    protected override ServerStart Start => new()
    {
        Environment = new Dictionary<string, string?>
        {
            ["LLMOS_IMPORT_DIRS"] = ModelServer.ImportFolder,
            ["Engine__Slots"] = "1",
            ["Engine__MaxQueued"] = "1",
            ["Engine__PieceBuffer"] = "4",
            ["Serving__SequencesPerRequest"] = "1",
            ["Serving__StreamWriteSeconds"] = "1",
        },
    };

    private Task? _import;

    /// <summary>A client of the server, once the model is there. Its tests run one after another.</summary>
    public async Task<HttpClient> ReadyAsync()
    {
        SharedFolder.Require("models", "stories260K");
        var client = await StartedAsync();
        await (_import ??= ModelServer.ImportAsync(this, Name, "models", "stories260K", "hf"));
        return client;
    }
}
