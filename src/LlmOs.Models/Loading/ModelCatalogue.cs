using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Loading;

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

    /// <summary>Every model that can be asked by its name alone, by name; read a page at a time.</summary>
    public async Task<IReadOnlyList<ServableModel>> ListAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var aliases = db.ModelAliases;
        var served = db.ModelVersions.AsNoTracking().Include(v => v.Model).Include(v => v.Files)
            .Where(v => v.State == ModelVersionState.Ready && v.Model.ArchivedAt == null && aliases.Any(a => a.ModelId == v.ModelId && a.Name == ModelAlias.Latest && a.Version == v.Number));
        var models = new List<ServableModel>();
        while (true)
        {
            var after = models.LastOrDefault()?.Name ?? "";
            var page = await served.Where(v => v.Model.Name.CompareTo(after) > 0).OrderBy(v => v.Model.Name).Take(Paging.MaxLimit).ToListAsync(cancel);
            models.AddRange(page.Select(ToServable));
            if (page.Count < Paging.MaxLimit)
            {
                return models;
            }
        }
    }

    /// <summary>The names of adapters, in their order, by the version (<c>name:3</c>) that each was merged into.</summary>
    public async Task<ILookup<string, string>> ListAdaptersAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var aliases = db.ModelAliases;
        var adapters = await db.ModelVersions.AsNoTracking()
            .Where(v => v.LineageRelation == LineageRelation.Adapter && v.State == ModelVersionState.Ready && v.Model.ArchivedAt == null
                && aliases.Any(a => a.ModelId == v.ModelId && a.Name == ModelAlias.Latest && a.Version == v.Number))
            .OrderBy(v => v.Model.Name)
            .Select(v => new { Parent = v.LineageParent!, v.Model.Name })
            .ToListAsync(cancel);
        return adapters.ToLookup(a => a.Parent, a => a.Name, StringComparer.Ordinal);
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
