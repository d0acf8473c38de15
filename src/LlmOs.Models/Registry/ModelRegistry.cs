using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry;

/// <summary>A version that is ready to be listed: its files are stored and its graph was built.</summary>
public sealed record NewModelVersion
{
    /// <summary>The model's name; the model is made if there is none.</summary>
    public required string Name { get; init; }

    /// <summary>The alias that will point at the version; null leaves the aliases.</summary>
    public string? Alias { get; init; } = ModelAlias.Latest;

    public required string Task { get; init; }

    public required string Architecture { get; init; }

    public required long Parameters { get; init; }

    public required int ContextLength { get; init; }

    public required int Vocabulary { get; init; }

    public required string Precision { get; init; }

    public string? License { get; init; }

    public required IReadOnlyList<ModelFileView> Files { get; init; }

    public ParityView? Parity { get; init; }

    public LineageView Lineage { get; init; } = new(null, null, []);

    public IReadOnlyList<JsonElement> Metrics { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>SHA-256 over the files' paths and hashes, in the order of the paths.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', Files.OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => $"{f.Sha256} {f.Path}")))));
}

/// <summary>Rules for versions and aliases, shared by the API, the importer and jobs that make models.</summary>
public sealed partial class ModelRegistry(TimeProvider clock, ILogger<ModelRegistry> log)
{
    /// <summary>
    /// Lists a version: gives it the model's next number and points the alias at it. Runs inside the caller's transaction,
    /// such as that of a <see cref="Infrastructure.Jobs.JobPublish"/>; when that is rolled back, nothing was listed.
    /// </summary>
    public async Task<ModelJobResult> PublishAsync(LlmOsDb db, NewModelVersion version, CancellationToken cancel)
    {
        var model = await LockAsync(db, version.Name, cancel);
        return await AddAsync(db, model, version, cancel);
    }

    /// <summary>As <see cref="PublishAsync"/>, but a version with the same files is left as it is; null says that there was one.</summary>
    public async Task<ModelJobResult?> PublishOnceAsync(LlmOsDb db, NewModelVersion version, CancellationToken cancel)
    {
        var model = await LockAsync(db, version.Name, cancel);
        return await db.ModelVersions.AnyAsync(v => v.ModelId == model.Id && v.Digest == version.Digest, cancel)
            ? null
            : await AddAsync(db, model, version, cancel);
    }

    /// <summary>Points an alias at a version, if it points where the caller believes.</summary>
    /// <exception cref="LlmOsException">404: no such model or version. 409: the alias points elsewhere, or the version is not ready.</exception>
    public async Task<AliasView> SetAliasAsync(LlmOsDb db, string name, string alias, AliasRequest request, CancellationToken cancel)
    {
        ModelName.CheckAlias(alias);
        var version = await db.ModelVersions.AsNoTracking()
            .Where(v => v.Model.Name == name && v.Number == request.Version)
            .Select(v => new { v.ModelId, v.State })
            .SingleOrDefaultAsync(cancel) ?? throw await NoVersionAsync(db, name, request.Version, cancel);
        if (version.State != ModelVersionState.Ready)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"{name}:{request.Version} is {version.State.ToString().ToLowerInvariant()}, not ready; an alias points at ready versions.");
        }

        if (request.Expected is { } expected)
        {
            await CompareAndSetAsync(db, version.ModelId, name, alias, expected, request.Version, cancel);
        }
        else
        {
            await PointAsync(db, version.ModelId, alias, request.Version, cancel);
        }

        LogAlias(name, alias, request.Version);
        return new AliasView(name, alias, request.Version);
    }

    /// <summary>Adds what an evaluation found to a version. Runs inside the caller's transaction, as <see cref="PublishAsync"/> does.</summary>
    public static async Task AddMetricsAsync(LlmOsDb db, long versionId, JsonElement metrics, CancellationToken cancel)
    {
        // Locks the row: of two evaluations that end at once, the second adds to what the first wrote.
        if (await db.ModelVersions.Where(v => v.Id == versionId).ExecuteUpdateAsync(set => set.SetProperty(v => v.Metrics, v => v.Metrics), cancel) == 0)
        {
            throw new LlmOsException(ErrorCode.ModelNotFound, "The version was deleted while it was measured.");
        }

        var known = await db.ModelVersions.Where(v => v.Id == versionId).Select(v => v.Metrics).SingleAsync(cancel);
        var all = Json<List<JsonElement>>([.. JsonSerializer.Deserialize<List<JsonElement>>(known, LlmOsJson.Options)!, metrics]);
        await db.ModelVersions.Where(v => v.Id == versionId).ExecuteUpdateAsync(set => set.SetProperty(v => v.Metrics, all), cancel);
    }

    /// <summary>404 for a version, or for its model if that is what is missing.</summary>
    internal static async Task<LlmOsException> NoVersionAsync(LlmOsDb db, string name, int number, CancellationToken cancel)
    {
        var versions = await db.ModelVersions.Where(v => v.Model.Name == name).OrderByDescending(v => v.Number).Select(v => v.Number).Take(20).ToListAsync(cancel);
        return versions.Count == 0
            ? NoModel(name)
            : new LlmOsException(ErrorCode.ModelNotFound, $"The model '{name}' has no version {number}; it has {string.Join(", ", versions.Order())}.");
    }

    /// <summary>404 for a model.</summary>
    internal static LlmOsException NoModel(string name) => new(ErrorCode.ModelNotFound, $"There is no model '{ModelName.Shorten(name)}'.")
    {
        Hint = "GET /api/v1/models lists the models.",
    };

    /// <summary>The model of that name, made if need be, with its row locked until the transaction ends.</summary>
    private async Task<RegisteredModel> LockAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        if (db.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("A version is published inside a transaction, so that its number and alias appear with it.");
        }

        var now = db.StoredTime(clock.GetUtcNow());
        // Two publishers of a new name meet here; the second waits for the first and finds its row.
        await db.Database.ExecuteSqlAsync($"insert into models (name, last_version, created_at, row_version) values ({name}, 0, {now}, 0) on conflict (name) do nothing", cancel);
        await db.Models.Where(m => m.Name == name).ExecuteUpdateAsync(set => set.SetProperty(m => m.LastVersion, m => m.LastVersion), cancel);
        return await db.Models.AsNoTracking().SingleAsync(m => m.Name == name, cancel);
    }

    private async Task<ModelJobResult> AddAsync(LlmOsDb db, RegisteredModel model, NewModelVersion version, CancellationToken cancel)
    {
        var number = model.LastVersion + 1; // its row is locked
        await db.Models.Where(m => m.Id == model.Id).ExecuteUpdateAsync(set => set.SetProperty(m => m.LastVersion, number), cancel);
        db.Add(new ModelVersion
        {
            ModelId = model.Id,
            Number = number,
            State = ModelVersionState.Ready,
            Task = version.Task,
            Architecture = version.Architecture,
            Parameters = version.Parameters,
            ContextLength = version.ContextLength,
            Vocabulary = version.Vocabulary,
            Precision = version.Precision,
            Bytes = version.Files.Sum(f => f.Bytes),
            License = version.License,
            Digest = version.Digest,
            ParityPrompts = version.Parity?.Prompts,
            ParityMaxAbsDiff = version.Parity?.MaxAbsDiff,
            ParityTemplateEqual = version.Parity?.TemplateEqual,
            LineageParent = version.Lineage.Parent,
            LineageRelation = version.Lineage.Relation,
            LineageJob = version.Lineage.Job,
            LineageSource = version.Lineage.Source,
            LineageDatasets = Json(version.Lineage.Datasets),
            Metrics = Json(version.Metrics),
            CreatedAt = clock.GetUtcNow(),
            Files = [.. version.Files.Select(f => new ModelFile { Path = f.Path, Sha256 = f.Sha256, Bytes = f.Bytes })],
            Tags = [.. version.Tags.Select(t => new ModelVersionTag { Key = t.Key, Value = t.Value })],
        });
        await db.SaveChangesAsync(cancel);
        if (version.Alias is { } alias)
        {
            await PointAsync(db, model.Id, alias, number, cancel);
        }

        LogPublished(model.Name, number);
        return new ModelJobResult(model.Name, number, $"{model.Name}:{number}");
    }

    private async Task PointAsync(LlmOsDb db, long modelId, string alias, int version, CancellationToken cancel)
    {
        var now = db.StoredTime(clock.GetUtcNow());
        await db.Database.ExecuteSqlAsync(
            $"insert into model_aliases (model_id, name, version, updated_at) values ({modelId}, {alias}, {version}, {now}) on conflict (model_id, name) do update set version = excluded.version, updated_at = excluded.updated_at",
            cancel);
    }

    private async Task CompareAndSetAsync(LlmOsDb db, long modelId, string name, string alias, int expected, int version, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        // The comparison is part of the update, so of two writers that expect the same only one succeeds.
        var changed = await db.ModelAliases
            .Where(a => a.ModelId == modelId && a.Name == alias && a.Version == expected)
            .ExecuteUpdateAsync(set => set.SetProperty(a => a.Version, version).SetProperty(a => a.UpdatedAt, now), cancel);
        if (changed == 1)
        {
            return;
        }

        var found = await db.ModelAliases.Where(a => a.ModelId == modelId && a.Name == alias).Select(a => (int?)a.Version).SingleOrDefaultAsync(cancel);
        throw new LlmOsException(ErrorCode.Conflict, found is { } other
            ? $"The alias '{alias}' of '{name}' points at version {other}, not at {expected}."
            : $"The model '{name}' has no alias '{alias}', so it cannot point at version {expected}.")
        {
            Field = "expected",
            Hint = found is null ? "Leave out 'expected' to make the alias." : "Read the alias again and decide with what it points at now.",
        };
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, LlmOsJson.Options);

    [LoggerMessage(LogLevel.Information, "Listed model {Model} version {Version}")]
    private partial void LogPublished(string model, int version);

    [LoggerMessage(LogLevel.Information, "Alias {Alias} of model {Model} points at version {Version}")]
    private partial void LogAlias(string model, string alias, int version);
}
