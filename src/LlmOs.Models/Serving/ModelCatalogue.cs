using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Serving;

/// <summary>What serving asks the registry.</summary>
internal sealed class ModelCatalogue(IDbContextFactory<LlmOsDb> databases)
{
    /// <summary>The version that a request's model string means.</summary>
    /// <exception cref="Infrastructure.LlmOsException">There is none of that name.</exception>
    public async Task<ServableModel> FindAsync(string model, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return ToServable(await ModelResolver.ResolveAsync(db, model, cancel));
    }

    /// <summary>Every model that can be asked by its name alone, by name.</summary>
    public async Task<IReadOnlyList<ServableModel>> ListAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var aliases = db.ModelAliases;
        var versions = await db.ModelVersions.AsNoTracking().Include(v => v.Model).Include(v => v.Files)
            .Where(v => v.State == ModelVersionState.Ready && v.Model.ArchivedAt == null && aliases.Any(a => a.ModelId == v.ModelId && a.Name == ModelAlias.Latest && a.Version == v.Number))
            .OrderBy(v => v.Model.Name)
            .ToListAsync(cancel);
        return versions.ConvertAll(ToServable);
    }

    private static ServableModel ToServable(ModelVersion version) => new(
        version.Model.Name,
        version.Number,
        version.Task,
        version.ContextLength,
        version.Vocabulary,
        version.Precision,
        version.CreatedAt,
        [.. version.Files.Select(f => f.ToView())]);
}
