using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry;

/// <summary>
/// Lists the model that is shipped with the server as <c>starter</c>, so that a new installation answers at once.
/// Run it after the migrations, at every start: what is listed already stays as it is.
/// </summary>
public sealed partial class StarterRegistration(
    IDbContextFactory<LlmOsDb> databases,
    ModelIntake intake,
    ModelRegistry registry,
    ILogger<StarterRegistration> log)
{
    public const string Name = "starter";

    /// <summary>What the job that made the model said of it: how trained weights and graph compared, and its figures. Lies beside it.</summary>
    private const string ParityFile = "parity.json";

    /// <summary>The folder shipped with the server: <c>starter</c> beside the executable, or <c>models/starter</c> up the tree.</summary>
    public static string? FindFolder(string start)
    {
        var beside = Path.Combine(start, "starter");
        if (IsModel(beside))
        {
            return beside;
        }

        for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, "models", "starter");
            if (IsModel(folder))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>
    /// Lists the folder's model. What this database once listed is not listed again, whatever became of it; a newer starter
    /// becomes the next version, unless the model was archived or deleted. Of two servers that start together on one database,
    /// one lists it.
    /// </summary>
    /// <param name="folder">A model in Hugging Face layout; null when none was shipped.</param>
    /// <returns>What was listed now, or null.</returns>
    public async Task<ModelJobResult?> RegisterAsync(string? folder, CancellationToken cancel)
    {
        if (folder is null)
        {
            LogNone();
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var known = await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Name == Name, cancel);
        if (known is { ArchivedAt: not null } or { LastVersion: < 0 })
        {
            return null; // somebody took it out of use
        }

        var version = await intake.TakeAsync(folder, Name, (_, _) => { }, cancel);
        if (known?.ShippedDigest == version.Digest)
        {
            return null;
        }

        if (await ReadRecordAsync(folder, cancel) is { } made)
        {
            version = version with { Parity = new ParityView(made.Prompts, made.MaxAbsDiff, made.TemplateEqual), Metrics = made.Metrics };
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var listed = await registry.PublishOnceAsync(db, version, cancel);
        await db.Models.Where(m => m.Name == Name).ExecuteUpdateAsync(set => set.SetProperty(m => m.ShippedDigest, version.Digest), cancel);
        await transaction.CommitAsync(cancel);
        return listed;
    }

    private static bool IsModel(string folder) => File.Exists(Path.Combine(folder, ModelFolder.ConfigFile));

    private static async Task<MadeRecord?> ReadRecordAsync(string folder, CancellationToken cancel)
    {
        var path = Path.Combine(folder, ParityFile);
        return File.Exists(path) ? JsonSerializer.Deserialize<MadeRecord>(await File.ReadAllBytesAsync(path, cancel), LlmOsJson.Options) : null;
    }

    private sealed record MadeRecord
    {
        public required int Prompts { get; init; }

        public required double MaxAbsDiff { get; init; }

        public bool? TemplateEqual { get; init; }

        public IReadOnlyList<JsonElement> Metrics { get; init; } = [];
    }

    [LoggerMessage(LogLevel.Warning, "No starter model was shipped with this server; import or train one")]
    private partial void LogNone();
}
