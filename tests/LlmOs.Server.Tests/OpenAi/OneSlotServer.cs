using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>A server whose models decode one sequence at a time and let one wait.</summary>
public sealed class OneSlotServer : ServerProcess
{
    public const string Name = ModelServer.Stories;

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

    /// <summary>A client of the server, once the model is there.</summary>
    public async Task<HttpClient> ReadyAsync()
    {
        await ModelServer.ImportAsync(this, Name, "models", "stories260K", "hf");
        return Client();
    }
}
