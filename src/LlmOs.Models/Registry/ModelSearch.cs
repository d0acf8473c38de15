using LlmOs.Contracts;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>What a list of models is narrowed by.</summary>
/// <param name="Query">A part of a name, or of a tag.</param>
/// <param name="Tag">A tag's key, or <c>key:value</c>, on the model or one of its versions.</param>
/// <param name="Archived">Whether models that are out of use are listed too.</param>
internal sealed record ModelQuery(string? Query, string? Tag, string? Task, bool Archived);

/// <summary>Finds models and shows them.</summary>
internal static class ModelSearch
{
    /// <summary>Versions that a model's row names, the newest; all of them have a list of their own.</summary>
    public const int MaxVersions = 100;

    private const int MaxAliases = 100;

    public static async Task<Page<ModelView>> PageAsync(LlmOsDb db, ModelQuery query, Paging paging, CancellationToken cancel)
    {
        var models = Existing(db.Models.AsNoTracking());
        if (!query.Archived)
        {
            models = models.Where(m => m.ArchivedAt == null);
        }

        if (query.Query is { } text)
        {
            var part = text.ToLowerInvariant(); // names and keys have no capitals
            models = models.Where(m => m.Name.Contains(part) || m.Tags.Any(t => t.Key.Contains(part) || t.Value.Contains(text)));
        }

        if (query.Task is { } task)
        {
            models = models.Where(m => m.Versions.Any(v => v.Task == task && v.State == ModelVersionState.Ready));
        }

        if (query.Tag is { } tag)
        {
            var (key, value) = ModelTags.Read(tag);
            models = models.Where(m => m.Tags.Any(t => t.Key == key && (value == null || t.Value == value))
                || m.Versions.Any(v => v.Tags.Any(t => t.Key == key && (value == null || t.Value == value))));
        }

        var total = await models.CountAsync(cancel);
        if (paging.After is { } after)
        {
            models = models.Where(m => m.Name.CompareTo(after) > 0);
        }

        var rows = await ReadAsync(models.OrderBy(m => m.Name).Take(paging.Size + 1), cancel);
        return rows.ToPage(paging.Size, r => r.View, r => r.View.Name) with { Total = total };
    }

    /// <summary>A model, and the version of its row for its entity tag.</summary>
    /// <exception cref="Infrastructure.LlmOsException">404: there is none.</exception>
    public static async Task<(ModelView View, long RowVersion)> FindAsync(LlmOsDb db, string name, CancellationToken cancel) =>
        await ReadAsync(Existing(db.Models.AsNoTracking()).Where(m => m.Name == name), cancel) is [var found] ? found : throw ModelRegistry.NoModel(name);

    /// <summary>A model that was deleted is only a memory of its numbers.</summary>
    private static IQueryable<RegisteredModel> Existing(IQueryable<RegisteredModel> models) => models.Where(m => m.LastVersion >= 0);

    private static async Task<List<(ModelView View, long RowVersion)>> ReadAsync(IQueryable<RegisteredModel> models, CancellationToken cancel)
    {
        var rows = await models
            .Select(m => new
            {
                m.Name,
                m.ArchivedAt,
                m.CreatedAt,
                m.RowVersion,
                Aliases = m.Aliases.OrderBy(a => a.Name != ModelAlias.Latest).ThenBy(a => a.Name).Take(MaxAliases).Select(a => new { a.Name, a.Version }).ToList(),
                Tags = m.Tags.OrderBy(t => t.Key).Select(t => new { t.Key, t.Value }).ToList(),
                Versions = m.Versions.OrderByDescending(v => v.Number).Take(MaxVersions).Select(v => new { v.Number, v.Task }).ToList(),

                // By the version's own model: SQLite has no join that looks back at the row before it.
                Latest = m.Versions
                    .Where(v => v.Model.Aliases.Any(a => a.Name == ModelAlias.Latest)
                        ? v.Model.Aliases.Any(a => a.Name == ModelAlias.Latest && a.Version == v.Number)
                        : v.State == ModelVersionState.Ready && !v.Model.Versions.Any(w => w.State == ModelVersionState.Ready && w.Number > v.Number))
                    .Select(v => new ModelSummary(v.Number, v.Task, v.Architecture, v.Parameters, v.ContextLength, v.Precision, v.Bytes, v.License))
                    .ToList(),
            })
            .AsSplitQuery()
            .ToListAsync(cancel);
        return rows.ConvertAll(m =>
        {
            var view = new ModelView(
                m.Name,
                m.Aliases.OrderBy(a => a.Name, StringComparer.Ordinal).ToDictionary(a => a.Name, a => a.Version),
                [.. m.Versions.Select(v => v.Number).Order()],
                m.Versions.FirstOrDefault()?.Task,
                m.CreatedAt)
            {
                Tags = m.Tags.ToDictionary(t => t.Key, t => t.Value),
                ArchivedAt = m.ArchivedAt,
                Latest = m.Latest.FirstOrDefault(),
            };
            return (view, m.RowVersion);
        });
    }
}
