using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Models.Serving;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Registry;

/// <summary>The job <c>import</c>: a published model becomes a version. Whatever fails, nothing of it is listed.</summary>
internal sealed class ModelImporter(LlmOsSettings settings, ModelIntake intake, ModelRegistry registry, MemoryBudget budget, IOptions<EngineOptions> engine) : IJobRunner
{
    public const string JobKind = "import";

    /// <summary>What reading and converting the source counts for in the progress.</summary>
    private const double ReadShare = 0.3;

    public string Kind => JobKind;

    /// <summary>Refuses at once what can be seen from the request alone; the same checks open the job.</summary>
    public static void Check(ImportRequest request, LlmOsSettings settings)
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

        SourceLayout.CheckKind(ImportSource.Resolve(request.Source, settings.ImportDirs));
    }

    public async Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel)
    {
        var request = job.SpecAs<ImportRequest>();
        Check(request, settings);
        var precision = request.Precision ?? Precisions.Full;
        var version = await FormatRefusal.GuardAsync(async () =>
        {
            var source = ImportSource.Resolve(request.Source, settings.ImportDirs);
            string Place(string path) => ImportSource.ResolveInside(path, settings.ImportDirs);
            CheckMemory(source, Place, precision);
            var files = await SourceLayout.ReadAsync(
                source,
                Place,
                half: precision == Precisions.Half,
                job.ScratchFolder,
                (done, message) => job.Report(ReadShare * done, message),
                cancel);
            return await intake.TakeFilesAsync(files, request.Name, precision, (done, message) => job.Report(ReadShare + ((1 - ReadShare) * done), message), cancel);
        });
        if (request.Task is { } task && !ModelTasks.Of(version.Architecture).Contains(task))
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"A model of the architecture {version.Architecture} is for {string.Join(", ", ModelTasks.Of(version.Architecture))}, not for {task}.") { Field = "task" };
        }

        version = version with { Alias = request.Alias ?? ModelAlias.Latest, Lineage = new LineageView(null, job.Id, []) };
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    /// <summary>What could not be loaded with a single sequence is refused before anything is converted or stored.</summary>
    private void CheckMemory(string source, Func<string, string> place, string precision)
    {
        if (SourceLayout.ReadConfig(source, place) is { } json)
        {
            var architecture = Architectures.Of(json);
            budget.Check(MemoryEstimate.Of(
                architecture, architecture.ReadConfig(json), Precisions.OfGraph(precision), engine.Value.MaxContext, slots: 1, engine.Value.PrefillChunk));
        }
    }
}
