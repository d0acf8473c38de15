using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Models.Registry;

/// <summary>The job <c>import</c>: a published model becomes a version. Whatever fails, nothing of it is listed.</summary>
internal sealed class ModelImporter(LlmOsSettings settings, ModelIntake intake, ModelRegistry registry) : IJobRunner
{
    public const string JobKind = "import";

    public string Kind => JobKind;

    /// <summary>Refuses at once what can be seen from the request alone; the same checks open the job.</summary>
    public static void Check(ImportRequest request, LlmOsSettings settings)
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

        ImportSource.Resolve(request.Source, settings.ImportDirs);
    }

    public async Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel)
    {
        var request = job.SpecAs<ImportRequest>();
        Check(request, settings);
        var version = await FormatRefusal.GuardAsync(() =>
        {
            var folder = ImportSource.Resolve(request.Source, settings.ImportDirs);
            var files = ImportSource.ResolveFiles(ModelFolder.List(folder), settings.ImportDirs);
            return intake.TakeFilesAsync(files, request.Name, (done, message) => job.Report(done, message), cancel);
        });
        if (request.Task is { } task && !ModelTasks.Of(version.Architecture).Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"A model of the architecture {version.Architecture} is for {string.Join(", ", ModelTasks.Of(version.Architecture))}, not for {task}.") { Field = "task" };
        }

        version = version with { Alias = request.Alias ?? ModelAlias.Latest, Lineage = new LineageView(null, job.Id, []) };
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }
}
