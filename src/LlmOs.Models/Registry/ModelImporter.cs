using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry.Bundles;
using LlmOs.Models.Registry.Pull;
using LlmOs.Models.Registry.Sources;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>The job <c>import</c>: a published model becomes a version. Whatever fails, nothing of it is listed.</summary>
internal sealed class ModelImporter(
    IDbContextFactory<LlmOsDb> databases, LlmOsSettings settings, DataFolder folder, ImportDoor door, ModelIntake intake, ModelRegistry registry) : IJobRunner
{
    public const string JobKind = "import";

    public string Kind => JobKind;

    /// <summary>Refuses what the request alone shows to be wrong; the source is <see cref="ImportDoor"/>'s.</summary>
    public static void Check(ImportRequest request)
    {
        ModelName.Check(request.Name);
        if (request.Alias is { } alias)
        {
            ModelName.CheckAlias(alias);
        }

        if (request.Precision is not (null or ModelIntake.Precision))
        {
            throw LlmOsException.Invalid("precision", $"The precision '{ModelName.Shorten(request.Precision)}' is not built; expected {ModelIntake.Precision}.");
        }

        if (request.Task is { } task && !ModelTasks.All.Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The task '{ModelName.Shorten(task)}' is not served by any architecture here; expected one of {string.Join(", ", ModelTasks.All)}.") { Field = "task" };
        }
    }

    public async Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel)
    {
        var request = job.SpecAs<ImportRequest>();
        var version = await FormatRefusal.GuardAsync(async () =>
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await door.CheckAsync(db, request, cancel);
            var source = await door.FetchAsync(db, request, job, cancel);
            return await TakeAsync(source, request, job, cancel);
        });
        if (request.Task is { } task && !ModelTasks.Of(version.Architecture).Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"A model of the architecture {version.Architecture} is for {string.Join(", ", ModelTasks.Of(version.Architecture))}, not for {task}.") { Field = "task" };
        }

        version = version with { Alias = request.Alias ?? ModelAlias.Latest };
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    private async Task<NewModelVersion> TakeAsync(FetchedSource source, ImportRequest request, JobContext job, CancellationToken cancel)
    {
        if (File.Exists(source.Path) && await BundleReader.IsBundleAsync(source.Path, cancel))
        {
            return await TakeBundleAsync(source, request, job, cancel);
        }

        if (!Directory.Exists(source.Path))
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, "The source is one file and no bundle. Expected is a folder in Hugging Face layout: config.json, model.safetensors, tokenizer.json.") { Field = "source" };
        }

        var version = await TakeFolderAsync(source.Path, source.IsOurs, request, job, source.IsOurs ? PullProgress.Share : 0, cancel);
        return version with { Lineage = new LineageView(null, job.Id, []) { Source = source.Origin } };
    }

    /// <summary>A bundle is unpacked and then taken as any folder is: what its manifest states of the model counts for nothing.</summary>
    private async Task<NewModelVersion> TakeBundleAsync(FetchedSource source, ImportRequest request, JobContext job, CancellationToken cancel)
    {
        const double UnpackShare = 0.3;
        var target = Path.Combine(job.ScratchFolder, "bundle");
        var manifest = await BundleReader.UnpackAsync(source.Path, target, folder, (done, message) => job.Report(UnpackShare * done, message), cancel);
        var version = await TakeFolderAsync(target, isOurs: true, request, job, UnpackShare, cancel);
        return version with
        {
            Card = manifest.Card,
            Tags = manifest.Tags,
            Metrics = manifest.Metrics,
            Lineage = manifest.Lineage with { Job = job.Id, Source = manifest.Lineage.Source ?? $"bundle:{manifest.Model}:{manifest.Version}" },
        };
    }

    private Task<NewModelVersion> TakeFolderAsync(string path, bool isOurs, ImportRequest request, JobContext job, double from, CancellationToken cancel)
    {
        var files = ModelFolder.List(path);
        return intake.TakeFilesAsync(
            isOurs ? files : ImportSource.ResolveFiles(files, settings.ImportDirs),
            request.Name,
            (done, message) => job.Report(from + ((1 - from) * done), message),
            isOurs,
            cancel);
    }
}
