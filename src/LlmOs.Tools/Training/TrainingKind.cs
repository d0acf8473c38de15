using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Metering;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Generation;
using LlmOs.Models.Import;
using LlmOs.Models.Registry;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Training.Child;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Tools.Training;

/// <summary>
/// The job <c>training</c>: runs the trainer as a child process, passes its reports on, takes its result into the store,
/// compares the served graph with it, and lists the version. Whatever fails, nothing is listed.
/// </summary>
internal sealed partial class TrainingKind(
    LlmOsSettings settings,
    IDbContextFactory<LlmOsDb> databases,
    ArtifactStore store,
    DataFolder folder,
    IGenerationService generation,
    ModelIntake intake,
    ModelRegistry registry,
    RowPages pages,
    UsageLedger ledger,
    IOptions<JobOptions> options,
    TimeProvider clock,
    ILogger<TrainingKind> log) : JobKind<TrainingRequest>
{
    /// <summary>Share of the job's progress that is the trainer's; the rest is storing and comparing.</summary>
    private const double TrainerShare = 0.95;

    /// <summary>Exit code of a process that signal 9 ended.</summary>
    private const int Killed = 128 + 9;

    public override string Word => "training";

    public override JobLane Lane => JobLane.Heavy;

    /// <summary>A pause ends the trainer, so that its memory is free, and leaves a checkpoint.</summary>
    public override bool CanPause => true;

    public override async Task<TrainingRequest> CheckAsync(TrainingRequest request, CancellationToken cancel)
    {
        var sources = await FindSourcesAsync(request, folder.Scratch, cancel);
        TrainerLocator.Find(settings);

        // The version of now is what is read, also when there is a newer one by then.
        return sources.Dataset is { } dataset ? request with { Dataset = dataset.Version.Ref } : request;
    }

    protected override string? SubjectOf(TrainingRequest request) => request.Name;

    protected override async Task<JobPublish> RunAsync(JobContext job, TrainingRequest request, CancellationToken cancel)
    {
        var trainer = TrainerLocator.Find(settings);
        var sources = await FindSourcesAsync(request, job.ScratchFolder, cancel);
        var result = Path.Combine(job.ScratchFolder, "result");
        var text = sources.TextPath ?? await sources.Dataset!.WriteAsync(pages, job.CheckpointFolder, cancel);
        var completed = await TrainAsync(job, trainer, TrainerJobOf(job, request, sources, text, result), cancel);

        FaultPoints.Reach("training.trained");

        // The job ends with the figures of what it publishes: a run that went on near its end has told of an earlier step.
        job.Report(TrainerShare, TrainingCodes.Trained.With(("steps", completed.Steps)), Figures(completed));
        var version = await intake.TakeAsync(result, request.Name, (done, message) => job.Report(TrainerShare + (0.03 * done), message), cancel);
        FaultPoints.Reach("training.stored");
        job.Report(0.98, TrainingCodes.Comparing);
        var (parity, continued) = await CompareAsync(job, version, result, cancel);
        version = version with
        {
            Alias = request.Alias ?? ModelAlias.Latest,
            Parity = parity,
            Lineage = new LineageView(sources.Base?.Ref, job.Id, sources.Dataset is { } dataset ? [dataset.Version.Ref] : []) { Relation = sources.Base is null ? null : LineageRelation.FineTuned },
            Metrics = [Metrics(completed, continued)],
        };
        return async (db, cancel) => await registry.PublishAsync(db, version, cancel);
    }

    private async Task<(ParityView Parity, ContinuationView Continued)> CompareAsync(JobContext job, NewModelVersion version, string result, CancellationToken cancel)
    {
        await using var served = await generation.ProbeAsync(new UnlistedModel(version.Name, version.Files, version.Precision), GenerationCaller.OfJob(job.Id), cancel);
        return await ParityGate.MeasureAsync(served, result, cancel);
    }

    /// <summary>Starts the trainer, and again from its latest checkpoint when it is killed.</summary>
    private async Task<TrainerCompleted> TrainAsync(JobContext job, string trainer, TrainerJob trainerJob, CancellationToken cancel)
    {
        var recorded = Task.CompletedTask;
        var progress = new Progress(job, sample => recorded = Task.WhenAll(recorded, RecordAsync(job, trainerJob.Spec.Name, sample)));
        var restarts = new TrainingRestarts();
        for (var start = 0; ; start++)
        {
            var jobFile = await WriteJobAsync(job, trainerJob with { Turn = ((long)job.Attempt << 20) + start }, cancel);
            var kills = OutOfMemoryKills.Count();
            var end = await new TrainerProcess(trainer, clock).RunAsync(jobFile, trainerJob.Spec.Threads, progress.Take, () => PauseTime(job), cancel);
            LogEnded(job.Id, end.ExitCode);
            switch (end)
            {
                case { ExitCode: TrainerExit.Done, Last: TrainerCompleted done }:
                    await recorded;
                    return done;
                case { ExitCode: TrainerExit.BadInput, Last: TrainerFailed refused }:
                    throw Refusal(refused);
                case { ExitCode: Killed, IsSilent: false } when OutOfMemoryKills.Count() > kills:
                    throw OutOfMemory(progress);
            }

            // Without checkpoints there is nothing to go on from: whoever wants none is told, not trained anew.
            if (trainerJob.Spec.CheckpointEvery == 0 || !restarts.MayStartAgain(progress.Checkpoint))
            {
                throw Crash(end, progress, Math.Max(0, restarts.InARow - 1));
            }

            LogStartedAgain(job.Id, end.ExitCode, progress.Checkpoint, restarts.InARow);
            var restart = progress.Checkpoint == 0
                ? TrainingCodes.RestartedAtStart.With(("restart", restarts.InARow), ("max", TrainingRestarts.Max))
                : TrainingCodes.RestartedAtStep.With(("step", progress.Checkpoint), ("restart", restarts.InARow), ("max", TrainingRestarts.Max));
            job.Log(JobLogLevel.Warning, How(end));
            job.Report(double.NaN, restart);
            job.Log(JobLogLevel.Warning, restart);
        }
    }

    /// <summary>A sample's tokens were made by the trainer, which counted them.</summary>
    private Task RecordAsync(JobContext job, string model, TrainerSample sample) => ledger.AddAsync(new UsageRecord
    {
        CreatedAt = clock.GetUtcNow(),
        Operation = Operations.Sample,
        Model = model,
        PromptTokens = sample.PromptTokens,
        GeneratedTokens = sample.GeneratedTokens,
        JobId = job.Id,
    });

    /// <summary>How long the trainer may take to leave a checkpoint; null when nobody wants one.</summary>
    private static TimeSpan? PauseTime(JobContext job) => job.StopReason switch
    {
        JobStop.Pause => TimeSpan.FromMinutes(10),
        JobStop.Shutdown => TimeSpan.FromSeconds(15),
        _ => null,
    };

    private async Task<TrainingSources> FindSourcesAsync(TrainingRequest request, string folder, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await TrainingSources.FindAsync(request, db, store, settings, folder, cancel);
    }

    private TrainerJob TrainerJobOf(JobContext job, TrainingRequest request, TrainingSources sources, string text, string result) => new()
    {
        Spec = request,
        TextPath = text,
        ResultFolder = result,
        WorkFolder = job.CheckpointFolder,
        BaseFolder = sources.Base is null ? null : TrainingSources.LayOut(sources.Base.Files.Select(f => f.ToView()), store, Path.Combine(job.ScratchFolder, "base")),
        TokenizerFolder = sources.Tokenizer is null ? null : TrainingSources.LayOut(sources.Tokenizer.Files, store, Path.Combine(job.ScratchFolder, "tokenizer")),
        StoredVocabulary = sources.Tokenizer?.Vocabulary,
        LowPriority = options.Value.LowPriority,
    };

    private static async Task<string> WriteJobAsync(JobContext job, TrainerJob trainerJob, CancellationToken cancel)
    {
        var path = Path.Combine(job.ScratchFolder, "job.json");
        await File.WriteAllBytesAsync(path, JsonSerializer.SerializeToUtf8Bytes(trainerJob, LlmOsJson.Options), cancel);
        return path;
    }

    private static LlmOsException Refusal(TrainerFailed failed)
    {
        var code = Enum.GetValues<ErrorCode>().FirstOrDefault(c => c.ToWord() == failed.Code, ErrorCode.InvalidRequest);
        return new LlmOsException(code, failed.Message) { Field = failed.Field, Hint = failed.Hint };
    }

    private static LlmOsException Crash(TrainerEnd end, Progress progress, int restarts) =>
        new(ErrorCode.TrainerCrashed, $"{How(end)} It had done {progress.Step} steps; no model was listed.{(restarts > 0 ? $" It was started again {restarts} times without getting past {progress.CheckpointText}." : "")}")
        {
            Detail = end.ErrorTail.Length == 0 ? null : end.ErrorTail,
            Hint = end.ExitCode == Killed
                ? "Someone ended the process, or the machine ran out of memory: look at its log, then retry the job, which goes on from its latest checkpoint."
                : "Retry the job, which goes on from its latest checkpoint. If it fails again, report what the detail says.",
        };

    private static LlmOsException OutOfMemory(Progress progress) =>
        new(ErrorCode.OutOfMemory, $"The system ended the trainer because the machine ran out of memory; it held {progress.ResidentBytes >> 20} MB after {progress.Step} steps.")
        {
            Hint = "Free some memory, then retry the job, which goes on from its latest checkpoint; or submit it again with a smaller 'micro_batch_tokens'.",
        };

    private static JobMessage How(TrainerEnd end) => end switch
    {
        { IsSilent: true } => TrainingCodes.TrainerSilent,
        { Last: TrainerFailed failed } => TrainingCodes.TrainerGaveUp.With(("error", failed.Message)),
        { ExitCode: Killed } => TrainingCodes.TrainerKilled,
        { ExitCode: > 128 and < 192 } => TrainingCodes.TrainerSignalled.With(("signal", end.ExitCode - 128)),
        { ExitCode: TrainerExit.Paused } => TrainingCodes.TrainerEndedByOthers,
        _ => TrainingCodes.TrainerEnded.With(("exit_code", end.ExitCode)),
    };

    private JsonElement Metrics(TrainerCompleted completed, ContinuationView continued) => JsonSerializer.SerializeToElement(
        new { Kind = Word, completed.Steps, completed.KeptStep, completed.Tokens, completed.Loss, completed.ValidationLoss, completed.Seconds, GreedyTexts = continued.Texts, GreedyTextsEqual = continued.Equal },
        LlmOsJson.Options);

    private static Dictionary<string, double> Figures(TrainerCompleted completed)
    {
        var figures = new Dictionary<string, double> { ["step"] = completed.Steps, ["tokens"] = completed.Tokens, ["loss"] = completed.Loss };
        if (completed.ValidationLoss is { } validation)
        {
            figures["validation_loss"] = validation;
        }

        return figures;
    }

    /// <summary>Turns the trainer's events into the job's standing.</summary>
    private sealed class Progress(JobContext job, Action<TrainerSample> keep)
    {
        /// <summary>Steps done, as last heard.</summary>
        public long Step { get; private set; }

        /// <summary>The step of the newest checkpoint; 0 while there is none.</summary>
        public long Checkpoint { get; private set; }

        public string CheckpointText => Checkpoint == 0 ? "the beginning" : $"the checkpoint of step {Checkpoint}";

        public long ResidentBytes { get; private set; }

        public void Take(TrainerEvent happened)
        {
            switch (happened)
            {
                case TrainerStage stage when TrainingCodes.Read(stage.Code, stage.Arguments) is { } message:
                    job.Report(Step == 0 ? 0 : TrainerShare, message);
                    break;
                case TrainerWarning warning when TrainingCodes.Read(warning.Code, warning.Arguments) is { } message:
                    job.Report(double.NaN, message);
                    job.Log(JobLogLevel.Warning, message);
                    break;
                case TrainerCheckpoint written:
                    Checkpoint = written.Step;
                    break;
                case TrainerSample sample:
                    keep(sample);
                    // What the model writes now, kept for who looks later: progress replaces a message within the second.
                    var text = TrainingCodes.Sample.With(("step", sample.Step), ("prompt", sample.Prompt.ReplaceLineEndings(" ")), ("text", sample.Text.ReplaceLineEndings(" ")));
                    job.Report(double.NaN, text);
                    job.Log(JobLogLevel.Info, text);
                    break;
                case TrainerProgress at:
                    (Step, ResidentBytes) = (at.Step, at.ResidentBytes);
                    job.Report(at.Progress * TrainerShare, TrainingCodes.Step.With(("step", at.Step), ("loss", at.Loss)), Numbers(at), at.EtaSeconds);
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

    [LoggerMessage(LogLevel.Warning, "The trainer of job {Job} ended with code {ExitCode}; it goes on from step {Step}, restart {Restart} without progress")]
    private partial void LogStartedAgain(string job, int exitCode, long step, int restart);

    [LoggerMessage(LogLevel.Debug, "The trainer of job {Job} ended with code {ExitCode}")]
    private partial void LogEnded(string job, int exitCode);
}
