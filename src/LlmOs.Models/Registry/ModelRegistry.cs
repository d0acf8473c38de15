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

    /// <summary>The card of the model, if it has none of its own yet; null leaves it to the version's README.md.</summary>
    public string? Card { get; init; }

    /// <summary>SHA-256 over the files' paths and hashes, in the order of the paths.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', Files.OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => $"{f.Sha256} {f.Path}")))));
}

/// <summary>Rules for models, versions and aliases, shared by the API, the importer and jobs that make models.</summary>
/// <remarks>Whatever changes a model first updates the model's row, which locks it until the transaction ends, on both databases.</remarks>
public sealed partial class ModelRegistry(TimeProvider clock, ILogger<ModelRegistry> log)
{
    /// <summary>Figures that a version's row keeps.</summary>
    internal const int MaxFigures = 100;

    /// <summary>
    /// Lists a version: gives it the model's next number and points the alias at it. Runs inside the caller's transaction,
    /// such as that of a <see cref="Infrastructure.Jobs.JobPublish"/>; when that is rolled back, nothing was listed.
    /// </summary>
    public async Task<ModelJobResult> PublishAsync(LlmOsDb db, NewModelVersion version, CancellationToken cancel)
    {
        var model = await MakeAsync(db, version.Name, cancel);
        return await AddAsync(db, model, version, cancel);
    }

    /// <summary>As <see cref="PublishAsync"/>, but a version with the same files is left as it is; null says that there was one.</summary>
    public async Task<ModelJobResult?> PublishOnceAsync(LlmOsDb db, NewModelVersion version, CancellationToken cancel)
    {
        var model = await MakeAsync(db, version.Name, cancel);
        return await db.ModelVersions.AnyAsync(v => v.ModelId == model.Id && v.Digest == version.Digest, cancel)
            ? null
            : await AddAsync(db, model, version, cancel);
    }

    /// <summary>Makes a model without versions, for a name to be taken, described and tagged first.</summary>
    /// <exception cref="LlmOsException">409: the name is taken.</exception>
    public async Task CreateAsync(LlmOsDb db, CreateModelRequest request, CancellationToken cancel)
    {
        ModelName.Check(request.Name);
        ModelTags.Check(request.Tags, "tags");
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var now = db.StoredTime(clock.GetUtcNow());
        var made = await db.Database.ExecuteSqlAsync(
            $"insert into models (name, last_version, created_at, row_version) values ({request.Name}, 0, {now}, 0) on conflict (name) do nothing", cancel);
        var revived = await db.Models.Where(m => m.Name == request.Name && m.LastVersion < 0)
            .ExecuteUpdateAsync(set => set.SetProperty(m => m.LastVersion, m => -m.LastVersion), cancel);
        if (made + revived == 0)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"There is already a model named '{request.Name}'.") { Field = "name" };
        }

        var model = await db.Models.Include(m => m.Tags).SingleAsync(m => m.Name == request.Name, cancel);
        model.Card = request.Card;
        model.Tags.AddRange((request.Tags ?? new Dictionary<string, string>()).Select(t => new ModelTag { Key = t.Key, Value = t.Value }));
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Points an alias at a version, if it points where the caller believes.</summary>
    /// <param name="by">Who asks, for the history.</param>
    /// <exception cref="LlmOsException">404: no such model or version. 409: the alias points elsewhere, or the version is not ready.</exception>
    public Task<AliasView> SetAliasAsync(LlmOsDb db, string name, string alias, AliasRequest request, string? by, CancellationToken cancel)
    {
        ModelName.CheckAlias(alias);
        return InTransactionAsync(db, async () =>
        {
            var model = await LockAsync(db, name, cancel);
            await RequireReadyAsync(db, model, request.Version, cancel);
            var now = await PointsAtAsync(db, model.Id, alias, cancel);
            if (request.Expected is { } expected && now != expected)
            {
                throw Elsewhere(name, alias, expected, now);
            }

            await MoveAsync(db, model, alias, AliasChangeKind.Set, now, request.Version, by, request.Reason, cancel);
            return new AliasView(name, alias, request.Version);
        }, cancel);
    }

    /// <summary>Points an alias back at the version it pointed at before; called again, one step further back.</summary>
    /// <exception cref="LlmOsException">404: no such model or alias. 409: it points elsewhere than expected, there is nothing before, or what was before is not ready.</exception>
    public Task<AliasView> RollBackAliasAsync(LlmOsDb db, string name, string alias, RollBackRequest request, string? by, CancellationToken cancel) =>
        InTransactionAsync(db, async () =>
        {
            var model = await LockAsync(db, name, cancel);
            var now = await PointsAtAsync(db, model.Id, alias, cancel) ?? throw NoAlias(name, alias);
            if (request.Expected is { } expected && now != expected)
            {
                throw Elsewhere(name, alias, expected, now);
            }

            var changes = await db.AliasChanges.AsNoTracking().Where(c => c.ModelId == model.Id && c.Alias == alias)
                .OrderByDescending(c => c.Id).Take(AliasHistory.MaxChanges).ToListAsync(cancel);
            changes.Reverse();
            var before = AliasHistory.Before(changes)
                ?? throw new LlmOsException(ErrorCode.Conflict, $"The alias '{alias}' of '{name}' has pointed at no version but {now}.") { Hint = "Set it to the version that you want." };
            await RequireReadyAsync(db, model, before, cancel);
            await MoveAsync(db, model, alias, AliasChangeKind.RolledBack, now, before, by, request.Reason, cancel);
            return new AliasView(name, alias, before);
        }, cancel);

    /// <summary>Takes an alias away; its history stays.</summary>
    /// <exception cref="LlmOsException">404: no such model or alias. 409: it points elsewhere than expected.</exception>
    public Task DeleteAliasAsync(LlmOsDb db, string name, string alias, int? expected, string? by, CancellationToken cancel) =>
        InTransactionAsync(db, async () =>
        {
            var model = await LockAsync(db, name, cancel);
            var now = await PointsAtAsync(db, model.Id, alias, cancel) ?? throw NoAlias(name, alias);
            if (expected is { } version && now != version)
            {
                throw Elsewhere(name, alias, version, now);
            }

            await MoveAsync(db, model, alias, AliasChangeKind.Deleted, now, null, by, null, cancel);
            return true;
        }, cancel);

    /// <summary>Adds what an evaluation found to a version, which keeps the first and the newest of such figures; `/api/v1/evaluations` has all. Runs inside the caller's transaction, as <see cref="PublishAsync"/> does.</summary>
    public static async Task AddMetricsAsync(LlmOsDb db, long versionId, JsonElement metrics, CancellationToken cancel)
    {
        // Locks the row: of two evaluations that end at once, the second adds to what the first wrote.
        if (await db.ModelVersions.Where(v => v.Id == versionId).ExecuteUpdateAsync(set => set.SetProperty(v => v.Metrics, v => v.Metrics), cancel) == 0)
        {
            throw new LlmOsException(ErrorCode.ModelNotFound, "The version was deleted while it was measured.");
        }

        var known = await db.ModelVersions.Where(v => v.Id == versionId).Select(v => v.Metrics).SingleAsync(cancel);
        List<JsonElement> figures = [.. JsonSerializer.Deserialize<List<JsonElement>>(known, LlmOsJson.Options)!, metrics];
        if (figures.Count > MaxFigures)
        {
            figures.RemoveRange(1, figures.Count - MaxFigures); // the first are those of its making
        }

        var all = Json(figures);
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

    /// <summary>404 for an alias.</summary>
    internal static LlmOsException NoAlias(string name, string alias) =>
        new(ErrorCode.NotFound, $"The model '{name}' has no alias '{ModelName.Shorten(alias)}'.") { Hint = "GET /api/v1/models/{name} lists its aliases." };

    /// <summary>The model of that name, its row locked until the transaction ends.</summary>
    /// <exception cref="LlmOsException">404: there is none.</exception>
    internal static async Task<RegisteredModel> LockAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        await db.Models.Where(m => m.Name == name).ExecuteUpdateAsync(set => set.SetProperty(m => m.RowVersion, m => m.RowVersion + 1), cancel);
        var model = await db.Models.AsNoTracking().SingleOrDefaultAsync(m => m.Name == name, cancel);
        return model is { LastVersion: >= 0 } ? model : throw NoModel(name);
    }

    /// <summary>Runs in the transaction that is open, or in one of its own.</summary>
    internal static async Task<T> InTransactionAsync<T>(LlmOsDb db, Func<Task<T>> work, CancellationToken cancel)
    {
        if (db.Database.CurrentTransaction is not null)
        {
            return await work();
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var result = await work();
        await transaction.CommitAsync(cancel);
        return result;
    }

    /// <summary>The model of that name, made if need be, with its row locked until the transaction ends.</summary>
    private async Task<RegisteredModel> MakeAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        if (db.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("A version is published inside a transaction, so that its number and alias appear with it.");
        }

        var now = db.StoredTime(clock.GetUtcNow());
        // Two publishers of a new name meet here; the second waits for the first and finds its row.
        await db.Database.ExecuteSqlAsync($"insert into models (name, last_version, created_at, row_version) values ({name}, 0, {now}, 0) on conflict (name) do nothing", cancel);
        await db.Models.Where(m => m.Name == name).ExecuteUpdateAsync(
            set => set.SetProperty(m => m.RowVersion, m => m.RowVersion + 1).SetProperty(m => m.LastVersion, m => m.LastVersion < 0 ? -m.LastVersion : m.LastVersion), cancel);
        var model = await db.Models.AsNoTracking().SingleAsync(m => m.Name == name, cancel);
        return model.ArchivedAt is null ? model : throw Archived(name);
    }

    internal static LlmOsException Archived(string name) =>
        new(ErrorCode.Conflict, $"The model '{name}' is archived, so no version is added to it.") { Field = "name", Hint = "Take it out of the archive (PATCH with archived: false), or take another name." };

    private async Task<ModelJobResult> AddAsync(LlmOsDb db, RegisteredModel model, NewModelVersion version, CancellationToken cancel)
    {
        var number = model.LastVersion + 1; // its row is locked
        var card = model.Card ?? version.Card;
        await db.Models.Where(m => m.Id == model.Id).ExecuteUpdateAsync(set => set.SetProperty(m => m.LastVersion, number).SetProperty(m => m.Card, card), cancel);
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
            await MoveAsync(db, model, alias, AliasChangeKind.Set, await PointsAtAsync(db, model.Id, alias, cancel), number, version.Lineage.Job, null, cancel);
        }

        LogPublished(model.Name, number);
        return new ModelJobResult(model.Name, number, $"{model.Name}:{number}");
    }

    private static async Task RequireReadyAsync(LlmOsDb db, RegisteredModel model, int number, CancellationToken cancel)
    {
        var state = await db.ModelVersions.Where(v => v.ModelId == model.Id && v.Number == number).Select(v => (ModelVersionState?)v.State).SingleOrDefaultAsync(cancel)
            ?? throw await NoVersionAsync(db, model.Name, number, cancel);
        if (state != ModelVersionState.Ready)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"{model.Name}:{number} is {state.ToWord()}, not ready; an alias points at ready versions.");
        }
    }

    private static Task<int?> PointsAtAsync(LlmOsDb db, long modelId, string alias, CancellationToken cancel) =>
        db.ModelAliases.Where(a => a.ModelId == modelId && a.Name == alias).Select(a => (int?)a.Version).SingleOrDefaultAsync(cancel);

    /// <summary>Moves an alias and notes it; the model's row is locked.</summary>
    private async Task MoveAsync(LlmOsDb db, RegisteredModel model, string alias, AliasChangeKind kind, int? from, int? to, string? by, string? reason, CancellationToken cancel)
    {
        if (from == to)
        {
            return;
        }

        var now = clock.GetUtcNow();
        if (to is { } version)
        {
            var stored = db.StoredTime(now);
            await db.Database.ExecuteSqlAsync(
                $"insert into model_aliases (model_id, name, version, updated_at) values ({model.Id}, {alias}, {version}, {stored}) on conflict (model_id, name) do update set version = excluded.version, updated_at = excluded.updated_at",
                cancel);
        }
        else
        {
            await db.ModelAliases.Where(a => a.ModelId == model.Id && a.Name == alias).ExecuteDeleteAsync(cancel);
        }

        db.Add(new AliasChange { ModelId = model.Id, Alias = alias, Kind = kind, From = from, To = to, By = by, Reason = reason, At = now });
        await db.SaveChangesAsync(cancel);
        LogAlias(model.Name, alias, to);
    }

    private static LlmOsException Elsewhere(string name, string alias, int expected, int? found) =>
        new(ErrorCode.Conflict, found is { } other
            ? $"The alias '{alias}' of '{name}' points at version {other}, not at {expected}."
            : $"The model '{name}' has no alias '{alias}', so it cannot point at version {expected}.")
        {
            Field = "expected",
            Hint = found is null ? "Leave out 'expected' to make the alias." : "Read the alias again and decide with what it points at now.",
        };

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, LlmOsJson.Options);

    [LoggerMessage(LogLevel.Information, "Listed model {Model} version {Version}")]
    private partial void LogPublished(string model, int version);

    [LoggerMessage(LogLevel.Information, "Alias {Alias} of model {Model} points at version {Version}")]
    private partial void LogAlias(string model, string alias, int? version);
}
