using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import.Adapters;
using LlmOs.Models.Import.Bundles;
using LlmOs.Models.Import.Pull;
using LlmOs.Models.Import.Sources;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Import;

/// <summary>The job <c>import</c>: a published model becomes a version. Whatever fails, nothing of it is listed.</summary>
internal sealed class ImportKind(
    IDbContextFactory<LlmOsDb> databases,
    LlmOsSettings settings,
    DataFolder folder,
    ImportDoor door,
    ArtifactStore store,
    ModelIntake intake,
    ModelRegistry registry,
    MemoryBudget budget) : JobKind<ImportRequest>
{
    /// <summary>What reading and converting the source counts for in the progress.</summary>
    private const double ReadShare = 0.3;

    public override string Word => "import";

    /// <summary>Refuses what the request alone shows to be wrong; the source is <see cref="ImportDoor"/>'s.</summary>
    public static void Check(ImportRequest request)
    {
        ModelName.Check(request.Name);
        if (request.Alias is { } alias)
        {
            ModelName.CheckAlias(alias);
        }

        if (request.Precision is { } precision && !Precisions.All.Contains(precision, StringComparer.Ordinal))
        {
            throw LlmOsException.Invalid("precision", $"'{ModelName.Shorten(precision)}' is not a precision; expected one of {string.Join(", ", Precisions.All)}.");
        }

        if (request.Task is { } task && !ModelTasks.All.Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The task '{ModelName.Shorten(task)}' is not served by any architecture here; expected one of {string.Join(", ", ModelTasks.All)}.") { Field = "task" };
        }
    }

    public override async Task<ImportRequest> CheckAsync(ImportRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await door.CheckAsync(db, request, cancel);
        return request;
    }

    protected override string? SubjectOf(ImportRequest request) => request.Name;

    protected override async Task<JobPublish> RunAsync(JobContext job, ImportRequest request, CancellationToken cancel)
    {
        var version = await FormatRefusal.GuardAsync(async () =>
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await door.CheckAsync(db, request, cancel);
            var source = await door.FetchAsync(db, request, job, cancel);
            FaultPoints.Reach("import.fetched");
            var parent = request.Base is { } name ? await AdapterBase.OpenAsync(await ModelResolver.ResolveAsync(db, name, cancel), store, cancel) : null;
            return await TakeAsync(source, parent, request, job, cancel);
        });
        if (request.Task is { } task && task != version.Task && !ModelTasks.Of(version.Architecture).Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"A model of the architecture {version.Architecture} is for {string.Join(", ", ModelTasks.Of(version.Architecture))}, not for {task}.") { Field = "task" };
        }

        version = version with { Alias = request.Alias ?? ModelAlias.Latest };
        FaultPoints.Reach("import.stored");
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    private async Task<NewModelVersion> TakeAsync(FetchedSource source, AdapterBase? parent, ImportRequest request, JobContext job, CancellationToken cancel)
    {
        if (parent is null && File.Exists(source.Path) && await BundleReader.IsBundleAsync(source.Path, cancel))
        {
            return await TakeBundleAsync(source, request, job, cancel);
        }

        var version = await TakeLayoutAsync(source, parent, request, request.Precision ?? Precisions.Full, job, source.IsOurs ? PullProgress.Share : 0, cancel);
        return version with
        {
            License = version.License ?? parent?.License,
            Lineage = new LineageView(parent?.Reference, job.Id, []) { Relation = parent is null ? null : LineageRelation.Adapter, Source = source.Origin },
        };
    }

    /// <summary>A bundle is unpacked and then taken as any folder is: what its manifest states of the model counts for nothing.</summary>
    private async Task<NewModelVersion> TakeBundleAsync(FetchedSource source, ImportRequest request, JobContext job, CancellationToken cancel)
    {
        const double UnpackShare = 0.3;
        var target = Path.Combine(job.ScratchFolder, "bundle");
        var manifest = await BundleReader.UnpackAsync(source.Path, target, folder, (done, message) => job.Report(UnpackShare * done, message), cancel);
        var precision = request.Precision ?? (Precisions.All.Contains(manifest.Precision, StringComparer.Ordinal) ? manifest.Precision : Precisions.Full);
        var version = await TakeLayoutAsync(new FetchedSource(target, IsOurs: true, "bundle"), parent: null, request, precision, job, UnpackShare, cancel);
        return version with
        {
            Card = manifest.Card,
            Tags = manifest.Tags,
            Metrics = manifest.Metrics,
            Lineage = manifest.Lineage with { Job = job.Id, Source = manifest.Lineage.Source ?? $"bundle:{manifest.Model}:{manifest.Version}" },
        };
    }

    private async Task<NewModelVersion> TakeLayoutAsync(
        FetchedSource source, AdapterBase? parent, ImportRequest request, string precision, JobContext job, double from, CancellationToken cancel)
    {
        // Links below a path of this machine must not lead out of the import folders. What was fetched holds only links of ours.
        string Place(string path) => source.Origin is null ? ImportSource.ResolveInside(path, settings.ImportDirs) : path;
        void Report(double done, JobMessage message) => job.Report(from + ((1 - from) * done), message);

        var half = precision == Precisions.Half;
        CheckRoom(
            parent is null ? SourceLayout.ReadConfig(source.Path, Place) : ModelFolder.ReadConfig(parent.Files.First(f => f.Path == ModelFolder.ConfigFile).Location),
            precision,
            () => SourceLayout.BytesWritten(source.Path, Place, parent, half, source.IsOurs));
        var files = await SourceLayout.ReadAsync(
            source.Path, Place, parent, half, job.ScratchFolder, (done, message) => Report(ReadShare * done, message), cancel);
        FaultPoints.Reach("import.converted");
        if (precision != Precisions.Full && files.Any(f => OnnxLayout.IsGraph(f.Path)))
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"A graph of another exporter has the precision that it was made with; '{precision}' is for models that are imported from their weights.");
        }

        return await intake.TakeFilesAsync(
            [.. files.Select(f => f with { MayMove = f.MayMove || (source.IsOurs && f.Location.StartsWith(source.Path, StringComparison.Ordinal)) })],
            request.Name,
            precision,
            (done, message) => Report(ReadShare + ((1 - ReadShare) * done), message),
            cancel);
    }

    /// <summary>What could not be loaded with a single sequence, or would fill the disk, is refused before anything is converted or stored.</summary>
    /// <param name="written">Bytes that the import writes beside the graph that it builds. Asked for last: memory needs the configuration alone.</param>
    private void CheckRoom(ConfigJson? config, string precision, Func<long> written)
    {
        if (config is not { } json)
        {
            DiskSpace.Require(folder, written(), "The model");
            return;
        }

        var architecture = Architectures.Of(json);
        var need = budget.Estimate(architecture, architecture.ReadConfig(json), precision, slots: 1);
        budget.Check(need);
        DiskSpace.Require(folder, written() + need.Weights, "The model");
    }
}
