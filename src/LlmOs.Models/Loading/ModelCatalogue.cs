using System.Linq.Expressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Loading;

/// <summary>What serving asks the registry. It reads the columns that serving needs: no card, no figures.</summary>
internal sealed class ModelCatalogue(IDbContextFactory<LlmOsDb> databases)
{
    private static readonly Expression<Func<ModelVersion, ServableModel>> Columns = v => new ServableModel(
        v.Model.Name,
        v.Number,
        v.Task,
        v.ContextLength,
        v.Vocabulary,
        v.Precision,
        v.CreatedAt,
        v.Files.OrderBy(f => f.Id).Select(f => new ModelFileView(f.Path, f.Sha256, f.Bytes)).ToList());

    /// <summary>The version that a request's model string means.</summary>
    /// <exception cref="Infrastructure.LlmOsException">There is none of that name.</exception>
    public async Task<ServableModel> FindAsync(string model, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var found = await ModelResolver.ResolveAsync(db, model, cancel);
        return new ServableModel(
            found.Model.Name, found.Number, found.Task, found.ContextLength, found.Vocabulary, found.Precision, found.CreatedAt, [.. found.Files.Select(f => f.ToView())]);
    }

    /// <summary>Models that can be asked by their name alone, by name.</summary>
    /// <param name="after">The name after which they come; null: from the first.</param>
    /// <param name="count">At most this many.</param>
    public async Task<IReadOnlyList<ServableModel>> ListAsync(string? after, int count, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var served = Served(db);
        if (after is not null)
        {
            served = served.Where(v => v.Model.Name.CompareTo(after) > 0);
        }

        return await served.OrderBy(v => v.Model.Name).Take(count).Select(Columns).ToListAsync(cancel);
    }

    /// <summary>The first name among the models for a task; null when there is none.</summary>
    public async Task<string?> FirstOfTaskAsync(string task, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Served(db).Where(v => v.Task == task).OrderBy(v => v.Model.Name).Select(v => v.Model.Name).FirstOrDefaultAsync(cancel);
    }

    /// <summary>How many models can be asked by their name alone.</summary>
    public async Task<int> CountAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Served(db).CountAsync(cancel);
    }

    /// <summary>Whether a model can be asked by this name alone.</summary>
    public async Task<bool> HasAsync(string name, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Served(db).AnyAsync(v => v.Model.Name == name, cancel);
    }

    /// <summary>The names of adapters, in their order, by the version (<c>name:3</c>) that each was merged into.</summary>
    /// <param name="models">Those whose adapters are asked for.</param>
    public async Task<ILookup<string, string>> ListAdaptersAsync(IEnumerable<ServableModel> models, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        List<string> parents = [.. models.Select(model => model.Reference)];
        var adapters = await Served(db)
            .Where(v => v.LineageRelation == LineageRelation.Adapter && v.LineageParent != null && parents.Contains(v.LineageParent))
            .OrderBy(v => v.Model.Name)
            .Select(v => new { Parent = v.LineageParent!, v.Model.Name })
            .ToListAsync(cancel);
        return adapters.ToLookup(a => a.Parent, a => a.Name, StringComparer.Ordinal);
    }

    /// <summary>Those of some versions that were archived or deleted.</summary>
    public async Task<IReadOnlySet<ServableModel>> ListGoneAsync(IReadOnlyCollection<ServableModel> models, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        List<string> names = [.. models.Select(model => model.Name).Distinct()];
        var there = await db.ModelVersions.AsNoTracking()
            .Where(v => v.State == ModelVersionState.Ready && v.Model.ArchivedAt == null && names.Contains(v.Model.Name))
            .Select(v => new { v.Model.Name, v.Number })
            .ToListAsync(cancel);
        var served = there.Select(v => (v.Name, v.Number)).ToHashSet();
        return models.Where(model => !served.Contains((model.Name, model.Version))).ToHashSet();
    }

    private static IQueryable<ModelVersion> Served(LlmOsDb db)
    {
        var aliases = db.ModelAliases;
        return db.ModelVersions.AsNoTracking().Where(v => v.State == ModelVersionState.Ready && v.Model.ArchivedAt == null
            && aliases.Any(a => a.ModelId == v.ModelId && a.Name == ModelAlias.Latest && a.Version == v.Number));
    }
}
