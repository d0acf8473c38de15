using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry;

/// <summary>
/// Takes models and versions out of use, or away. Both are refused while something refers to them. The bytes go later, with
/// the <see cref="Collector"/>; a number that was given out is never given again, not even after its model was deleted.
/// </summary>
internal sealed partial class ModelArchive(ModelUses uses, TimeProvider clock, ILogger<ModelArchive> log)
{
    public Task<bool> SetArchivedAsync(LlmOsDb db, string name, bool archived, CancellationToken cancel) =>
        ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            if (archived && model.ArchivedAt is null)
            {
                await uses.RequireUnusedAsync(db, model, "archived", cancel);
            }

            DateTimeOffset? at = archived ? model.ArchivedAt ?? clock.GetUtcNow() : null;
            await db.Models.Where(m => m.Id == model.Id).ExecuteUpdateAsync(set => set.SetProperty(m => m.ArchivedAt, at), cancel);
            return true;
        }, cancel);

    public Task<bool> SetArchivedAsync(LlmOsDb db, string name, int number, bool archived, CancellationToken cancel) =>
        ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            var state = await StateAsync(db, model, number, cancel);
            if (archived && state == ModelVersionState.Ready)
            {
                await uses.RequireUnusedAsync(db, model, number, "archived", cancel);
            }

            var next = archived ? ModelVersionState.Archived : ModelVersionState.Ready;
            await db.ModelVersions.Where(v => v.ModelId == model.Id && v.Number == number).ExecuteUpdateAsync(set => set.SetProperty(v => v.State, next), cancel);
            return true;
        }, cancel);

    public async Task DeleteAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        await ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            await uses.RequireUnusedAsync(db, model, "deleted", cancel);
            await db.ModelVersions.Where(v => v.ModelId == model.Id).ExecuteDeleteAsync(cancel); // the database deletes files and tags with it
            await ForgetAsync(db, model, cancel);
            return true;
        }, cancel);
        LogDeleted(name);
    }

    public async Task DeleteAsync(LlmOsDb db, string name, int number, CancellationToken cancel)
    {
        await ModelRegistry.InTransactionAsync(db, async () =>
        {
            var model = await ModelRegistry.LockAsync(db, name, cancel);
            await StateAsync(db, model, number, cancel);
            await uses.RequireUnusedAsync(db, model, number, "deleted", cancel);
            await db.ModelVersions.Where(v => v.ModelId == model.Id && v.Number == number).ExecuteDeleteAsync(cancel);
            if (!await db.ModelVersions.AnyAsync(v => v.ModelId == model.Id, cancel))
            {
                await ForgetAsync(db, model, cancel);
            }

            return true;
        }, cancel);
        LogDeletedVersion(name, number);
    }

    /// <summary>What is left of a model is its row, which remembers the numbers; otherwise it is as if it were not there.</summary>
    private static async Task ForgetAsync(LlmOsDb db, RegisteredModel model, CancellationToken cancel)
    {
        await db.ModelAliases.Where(a => a.ModelId == model.Id).ExecuteDeleteAsync(cancel);
        await db.AliasChanges.Where(c => c.ModelId == model.Id).ExecuteDeleteAsync(cancel);
        await db.Set<ModelTag>().Where(t => t.ModelId == model.Id).ExecuteDeleteAsync(cancel);
        if (model.LastVersion == 0)
        {
            await db.Models.Where(m => m.Id == model.Id).ExecuteDeleteAsync(cancel);
        }
        else
        {
            await db.Models.Where(m => m.Id == model.Id).ExecuteUpdateAsync(
                set => set.SetProperty(m => m.LastVersion, m => -m.LastVersion).SetProperty(m => m.Card, (string?)null).SetProperty(m => m.ArchivedAt, (DateTimeOffset?)null), cancel);
        }
    }

    private static async Task<ModelVersionState> StateAsync(LlmOsDb db, RegisteredModel model, int number, CancellationToken cancel) =>
        await db.ModelVersions.Where(v => v.ModelId == model.Id && v.Number == number).Select(v => (ModelVersionState?)v.State).SingleOrDefaultAsync(cancel)
            ?? throw await ModelRegistry.NoVersionAsync(db, model.Name, number, cancel);

    [LoggerMessage(LogLevel.Information, "Deleted model {Model}")]
    private partial void LogDeleted(string model);

    [LoggerMessage(LogLevel.Information, "Deleted model {Model} version {Version}")]
    private partial void LogDeletedVersion(string model, int version);
}
