using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Tools.Training;

/// <summary>
/// The job <c>training</c>: runs the trainer as a child process, passes its reports on, takes its result into the store,
/// compares the served graph with it, and lists the version. Whatever fails, nothing is listed.
/// </summary>
internal sealed partial class TrainingRunner(
    LlmOsSettings settings,
    IDbContextFactory<LlmOsDb> databases,
    ArtifactStore store,
    ServingGraphs graphs,
    ModelIntake intake,
    ModelRegistry registry,
    TimeProvider clock,
    ILogger<TrainingRunner> log) : IJobRunner
{
    public const string JobKind = "training";

    /// <summary>Share of the job's progress that is the trainer's; the rest is storing and comparing.</summary>
    private const double TrainerShare = 0.95;

    public string Kind => JobKind;

    public async Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel)
    {
        var request = job.SpecAs<TrainingRequest>();
        var trainer = TrainerLocator.Find(settings);
        var sources = await FindSourcesAsync(request, job.ScratchFolder, cancel);
        var result = Path.Combine(job.ScratchFolder, "result");
        var jobFile = await WriteJobAsync(job, request, sources, result, cancel);

        var progress = new Progress(job);
        var end = await new TrainerProcess(trainer, clock).RunAsync(jobFile, request.Threads, progress.Take, cancel);
        LogEnded(job.Id, end.ExitCode);
        var completed = end switch
        {
            { ExitCode: TrainerExit.Done, Last: TrainerCompleted done } => done,
            { ExitCode: TrainerExit.BadInput, Last: TrainerFailed refused } => throw Refusal(refused),
            _ => throw Crash(end, progress.Step),
        };

        var version = await intake.TakeAsync(result, request.Name, (done, message) => job.Report(TrainerShare + (0.03 * done), message), cancel);
        job.Report(0.98, "comparing the served graph with the trained model");
        var parity = await ParityGate.MeasureAsync((ServingGraph)await graphs.OpenAsync(version.Files, version.Precision, cancel), result, clock, cancel);
        version = version with
        {
            Alias = request.Alias ?? ModelAlias.Latest,
            Parity = parity,
            Lineage = new LineageView(sources.Base?.Ref, job.Id, []) { Relation = sources.Base is null ? null : LineageRelation.FineTuned },
            Metrics = [Metrics(completed)],
        };
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    private async Task<TrainingSources> FindSourcesAsync(TrainingRequest request, string folder, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await TrainingSources.FindAsync(request, db, store, settings, folder, cancel);
    }

    private async Task<string> WriteJobAsync(JobContext job, TrainingRequest request, TrainingSources sources, string result, CancellationToken cancel)
    {
        var path = Path.Combine(job.ScratchFolder, "job.json");
        var trainerJob = new TrainerJob
        {
            Spec = request,
            TextPath = sources.TextPath,
            ResultFolder = result,
            WorkFolder = Path.Combine(job.ScratchFolder, "work"),
            CheckpointFolder = job.CheckpointFolder,
            BaseFolder = sources.Base is null ? null : TrainingSources.LayOut(sources.Base, store, Path.Combine(job.ScratchFolder, "base")),
            TokenizerFolder = sources.Tokenizer is null ? null : TrainingSources.LayOut(sources.Tokenizer, store, Path.Combine(job.ScratchFolder, "tokenizer")),
        };
        await File.WriteAllBytesAsync(path, JsonSerializer.SerializeToUtf8Bytes(trainerJob, LlmOsJson.Options), cancel);
        return path;
    }

    private static LlmOsException Refusal(TrainerFailed failed)
    {
        var code = Enum.GetValues<ErrorCode>().FirstOrDefault(c => c.ToWord() == failed.Code, ErrorCode.InvalidRequest);
        return new LlmOsException(code, failed.Message) { Field = failed.Field, Hint = failed.Hint };
    }

    private static LlmOsException Crash(TrainerEnd end, long step)
    {
        const int Killed = 128 + 9;
        var how = end switch
        {
            { Last: TrainerFailed failed } => $"The trainer gave up: {failed.Message}",
            { ExitCode: Killed } => "The trainer was killed (signal 9).",
            { ExitCode: > 128 and < 192 } => $"The trainer was ended by signal {end.ExitCode - 128}.",
            _ => $"The trainer ended with code {end.ExitCode} and without a result.",
        };
        return new LlmOsException(ErrorCode.TrainerCrashed, $"{how} It had done {step} steps; no model was listed.")
        {
            Detail = end.ErrorTail.Length == 0 ? null : end.ErrorTail,
            Hint = end.ExitCode == Killed
                ? "Someone ended the process, or the machine ran out of memory: look at its log, then retry the job, with a smaller 'micro_batch_tokens' if memory was short."
                : "Retry the job. If it fails again, report what the detail says.",
        };
    }

    private static JsonElement Metrics(TrainerCompleted completed) => JsonSerializer.SerializeToElement(
        new { Kind = JobKind, completed.Steps, completed.Tokens, completed.Loss, completed.ValidationLoss, completed.Seconds }, LlmOsJson.Options);

    /// <summary>Turns the trainer's events into the job's standing.</summary>
    private sealed class Progress(JobContext job)
    {
        /// <summary>Steps done, as last heard.</summary>
        public long Step { get; private set; }

        public void Take(TrainerEvent happened)
        {
            switch (happened)
            {
                case TrainerStage stage:
                    job.Report(Step == 0 ? 0 : TrainerShare, stage.Message);
                    break;
                case TrainerWarning warning:
                    job.Report(double.NaN, warning.Message);
                    break;
                case TrainerProgress at:
                    Step = at.Step;
                    job.Report(at.Progress * TrainerShare, FormattableString.Invariant($"step {at.Step}, loss {at.Loss:0.000}"), Numbers(at), at.EtaSeconds);
                    break;
            }
        }

        private static Dictionary<string, double> Numbers(TrainerProgress at)
        {
            var numbers = new Dictionary<string, double>
            {
                ["step"] = at.Step,
                ["tokens"] = at.Tokens,
                ["learning_rate"] = at.LearningRate,
                ["tokens_per_second"] = at.TokensPerSecond,
            };
            Add("loss", at.Loss);
            Add("gradient_norm", at.GradientNorm);
            Add("validation_loss", at.ValidationLoss);
            return numbers;

            void Add(string name, double? value)
            {
                if (value is { } number)
                {
                    numbers[name] = number;
                }
            }
        }
    }

    [LoggerMessage(LogLevel.Debug, "The trainer of job {Job} ended with code {ExitCode}")]
    private partial void LogEnded(string job, int exitCode);
}
