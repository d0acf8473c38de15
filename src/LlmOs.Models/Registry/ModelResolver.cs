using System.Globalization;
using System.Linq.Expressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>One way to read a model string: a name, and a version's number or an alias.</summary>
internal sealed record ModelCandidate(string Name, int? Number, string? Alias);

/// <summary>
/// Finds the version that a model string means. It is read in this order, and the first reading that is stored wins:
/// the whole string as a name (alias latest); <c>name@alias</c>; <c>name:3</c>; <c>name:word</c>; any of these with <c>+adapter</c>.
/// </summary>
public static class ModelResolver
{
    /// <summary>What a request needs of a version: not its figures nor its model's card, which may be large.</summary>
    private static readonly Expression<Func<ModelVersion, ModelVersion>> Columns = v => new ModelVersion
    {
        Id = v.Id,
        ModelId = v.ModelId,
        Model = new RegisteredModel { Id = v.Model.Id, Name = v.Model.Name, LastVersion = v.Model.LastVersion, CreatedAt = v.Model.CreatedAt },
        Number = v.Number,
        State = v.State,
        Task = v.Task,
        Architecture = v.Architecture,
        Parameters = v.Parameters,
        ContextLength = v.ContextLength,
        Vocabulary = v.Vocabulary,
        Precision = v.Precision,
        Bytes = v.Bytes,
        License = v.License,
        Digest = v.Digest,
        LineageParent = v.LineageParent,
        LineageRelation = v.LineageRelation,
        LineageJob = v.LineageJob,
        LineageSource = v.LineageSource,
        CreatedAt = v.CreatedAt,
        Files = v.Files.OrderBy(f => f.Id).ToList(),
    };

    /// <summary>The version with its model's name and its files, not tracked; without figures, card and tags.</summary>
    /// <exception cref="LlmOsException">404: nothing of that name, version, alias or adapter is stored.</exception>
    public static async Task<ModelVersion> ResolveAsync(LlmOsDb db, string model, CancellationToken cancel)
    {
        // No name holds a plus, so what stands before the first one is the model.
        if (model.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus)
        {
            var known = await FindAsync(db, model[..plus], cancel) ?? throw await NotFoundAsync(db, model[..plus], cancel);
            return await AdapterAsync(db, known, model[(plus + 1)..], cancel);
        }

        return await FindAsync(db, model, cancel) ?? throw await NotFoundAsync(db, model, cancel);
    }

    /// <summary>An adapter is stored merged into its base, so the model with it is the adapter's own version.</summary>
    private static async Task<ModelVersion> AdapterAsync(LlmOsDb db, ModelVersion model, string adapter, CancellationToken cancel)
    {
        var found = await FindAsync(db, adapter, cancel);
        if (found is not { LineageRelation: LineageRelation.Adapter })
        {
            throw new LlmOsException(ErrorCode.ModelNotFound, $"There is no adapter '{ModelName.Shorten(adapter)}' for the model '{model.Ref}'.");
        }

        return found.LineageParent == model.Ref
            ? found
            : throw new LlmOsException(ErrorCode.ModelNotFound, $"The adapter '{found.Ref}' was merged into '{found.LineageParent}', not into '{model.Ref}'.") { Hint = $"Ask for {found.LineageParent}+{ModelName.Shorten(adapter)}, or import the adapter again with this base." };
    }

    /// <summary>Every reading of a string without an adapter, in the order of preference.</summary>
    internal static IEnumerable<ModelCandidate> Read(string model)
    {
        if (ModelName.IsName(model))
        {
            yield return new(model, null, ModelAlias.Latest);
        }

        if (Split(model, '@') is ({ } name, { } alias) && ModelName.IsAlias(alias))
        {
            yield return new(name, null, alias);
        }

        if (Split(model, ':') is not ({ } before, { } after))
        {
            yield break;
        }

        if (after.Length > 0 && after.All(char.IsAsciiDigit))
        {
            if (int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                yield return new(before, number, null);
            }
        }
        else if (ModelName.IsAlias(after))
        {
            yield return new(before, null, after);
        }
    }

    /// <summary>As <see cref="ResolveAsync"/> for a string without an adapter; null when nothing is stored.</summary>
    internal static async Task<ModelVersion?> FindAsync(LlmOsDb db, string model, CancellationToken cancel)
    {
        var aliases = db.ModelAliases;
        foreach (var (name, number, alias) in Read(model))
        {
            var versions = db.ModelVersions.AsNoTracking()
                .Where(v => v.Model.Name == name && v.Model.ArchivedAt == null && v.State == ModelVersionState.Ready);
            versions = number is { } wanted
                ? versions.Where(v => v.Number == wanted)
                : versions.Where(v => aliases.Any(a => a.ModelId == v.ModelId && a.Name == alias && a.Version == v.Number));
            if (await versions.Select(Columns).SingleOrDefaultAsync(cancel) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Says which part is unknown: the model, or its version or alias.</summary>
    private static async Task<LlmOsException> NotFoundAsync(LlmOsDb db, string model, CancellationToken cancel)
    {
        foreach (var (name, number, alias) in Read(model))
        {
            var models = db.Models.Where(m => m.Name == name);
            if (!await models.AnyAsync(cancel))
            {
                continue;
            }

            if (number is { } wanted)
            {
                return await ModelRegistry.NoVersionAsync(db, name, wanted, cancel);
            }

            var aliases = await models.SelectMany(m => m.Aliases).Select(a => a.Name).Order().Take(20).ToListAsync(cancel);
            return new LlmOsException(ErrorCode.ModelNotFound, $"The model '{name}' has no alias '{alias}'; it has {(aliases.Count == 0 ? "none" : string.Join(", ", aliases))}.");
        }

        return ModelRegistry.NoModel(model);
    }

    private static (string? Name, string? Selector) Split(string model, char separator)
    {
        var at = model.LastIndexOf(separator);
        return at > 0 && ModelName.IsName(model[..at]) ? (model[..at], model[(at + 1)..]) : (null, null);
    }
}
