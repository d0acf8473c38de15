using System.Diagnostics;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using TorchSharp;

namespace LlmOs.Tools.Training;

/// <summary>One line of a training's history.</summary>
internal readonly record struct StepRecord(long Step, double? Loss, double LearningRate, double? GradientNorm);

/// <summary>A validation loss and the step after which it was taken.</summary>
internal readonly record struct ValidationRecord(long Step, double Loss);

/// <summary>What a whole training was.</summary>
internal sealed record TrainingHistory(
    IReadOnlyList<StepRecord> Steps,
    IReadOnlyList<ValidationRecord> Validation,
    long Tokens,
    double Seconds,
    int Skipped);

/// <summary>
/// The training itself: batches in an order that only the seed decides, gradient accumulation, clipping, AdamW, validation,
/// checkpoints, and a guard that throws away gradients which would wreck the weights.
/// </summary>
/// <remarks>Runs on the caller's thread from beginning to end; torch's modes and scopes belong to it.</remarks>
internal sealed class TrainingLoop(
    TrainingPlan plan,
    string planHash,
    TokenCorpus corpus,
    LlamaModule module,
    FlatAdamW optimizer,
    Checkpoints checkpoints,
    Action<TrainerEvent> emit)
{
    private const int MaxRollbacks = 3;
    private const int ValidationWindows = 64;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(250);

    private readonly TrainingStep _step = new(module, optimizer);
    private readonly BatchOrder _order = new(plan.Seed, corpus.TrainTokens, plan.Sizes.Context);
    private readonly SpikeGuard _guard = new();
    private readonly List<StepRecord> _steps = [];
    private readonly List<ValidationRecord> _validations = [];
    private readonly Stopwatch _active = new();
    private TrainingState _state = new(0, 0, 0, 0, 0, 1, plan.Seed, plan.Threads, planHash, torch.__version__, null);
    private int _rollbacks;
    private long _lastReport;

    public TrainingHistory Run(CancellationToken cancel)
    {
        _active.Start();
        while (Progress() < 1)
        {
            cancel.ThrowIfCancellationRequested();
            var before = Progress();
            var record = TakeStep(plan.Rate.At(before) * _state.RateFactor);
            _steps.Add(record);
            if (IsTimeToValidate(before))
            {
                Validate();
            }

            if (plan.CheckpointEvery > 0 && _state.Step % plan.CheckpointEvery == 0)
            {
                Paused(WriteCheckpoint);
            }

            Report(record, isLast: Progress() >= 1);
        }

        _active.Stop();
        return new TrainingHistory(_steps, _validations, _state.Tokens, _active.Elapsed.TotalSeconds, _guard.Skipped);
    }

    private double Progress() => plan.Steps is { } steps
        ? (double)_state.Step / steps
        : Math.Min(1, _active.Elapsed.TotalMinutes / plan.Minutes!.Value);

    private StepRecord TakeStep(double rate)
    {
        var context = plan.Sizes.Context;
        var loss = 0.0;
        for (var done = 0; done < plan.BatchWindows; done += plan.MicroWindows)
        {
            var windows = Math.Min(plan.MicroWindows, plan.BatchWindows - done);
            var ids = new long[windows * (context + 1)];
            for (var w = 0; w < windows; w++)
            {
                corpus.ReadTrain(_order.StartOf(_state.Samples + done + w), ids.AsSpan(w * (context + 1), context + 1));
            }

            loss += _step.Accumulate(ids, context, (long)plan.BatchWindows * context);
        }

        var norm = optimizer.GradientNorm();
        _state = _state with { Step = _state.Step + 1, Samples = _state.Samples + plan.BatchWindows, Tokens = _state.Tokens + plan.BatchTokens };
        Apply(_guard.Judge(loss, norm), rate, loss, norm);
        return new StepRecord(_state.Step, Finite(loss), rate, Finite(norm));
    }

    private void Apply(StepVerdict verdict, double rate, double loss, double norm)
    {
        if (verdict == StepVerdict.Take)
        {
            optimizer.Step(rate, Math.Min(1, plan.Clip / (norm + 1e-6)));
            return;
        }

        optimizer.ClearGradient();
        if (verdict == StepVerdict.Skip)
        {
            emit(new TrainerWarning(FormattableString.Invariant($"Step {_state.Step} was skipped: loss {loss:g4}, gradient norm {norm:g4}.")));
            return;
        }

        if (checkpoints.Latest() is not { } latest || ++_rollbacks > MaxRollbacks)
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, $"The training diverged at step {_state.Step}: three gradients in a row were no use.")
            {
                Field = "learning_rate",
                Hint = "Take a lower 'learning_rate' or a longer 'warmup'.",
            };
        }

        // The data goes on from here; only weights and moments go back.
        var old = Checkpoints.Read(latest, optimizer);
        _state = _state with { RateFactor = _state.RateFactor / 2 };
        emit(new TrainerWarning($"Three gradients in a row were no use: back to the weights of step {old.Step}, at half the rate."));
    }

    private bool IsTimeToValidate(double before)
    {
        if (corpus.ValidationTokens <= plan.Sizes.Context)
        {
            return false;
        }

        const int Times = 20;
        return Progress() >= 1
            || (plan.ValidateEvery is { } every ? _state.Step % every == 0 : (int)(Progress() * Times) > (int)(before * Times));
    }

    /// <summary>The mean loss of windows spread evenly over the validation text; always the same ones.</summary>
    private void Validate() => Paused(() =>
    {
        var context = plan.Sizes.Context;
        var available = (corpus.ValidationTokens - 1) / context;
        var windows = (int)Math.Min(ValidationWindows, available);
        var sum = 0.0;
        for (var done = 0; done < windows; done += plan.MicroWindows)
        {
            var count = Math.Min(plan.MicroWindows, windows - done);
            var ids = new long[count * (context + 1)];
            for (var w = 0; w < count; w++)
            {
                corpus.ReadValidation((done + w) * available / windows * context, ids.AsSpan(w * (context + 1), context + 1));
            }

            sum += _step.Evaluate(ids, context);
        }

        var loss = sum / ((double)windows * context);
        if (double.IsFinite(loss))
        {
            _validations.Add(new ValidationRecord(_state.Step, loss));
            _state = _state with { ValidationLoss = loss };
        }
    });

    private void WriteCheckpoint()
    {
        _state = _state with { Updates = optimizer.Updates, ActiveSeconds = _active.Elapsed.TotalSeconds };
        emit(new TrainerCheckpoint(_state.Step, checkpoints.Write(optimizer, _state)));
    }

    /// <summary>Does something that a budget of minutes does not count.</summary>
    private void Paused(Action act)
    {
        _active.Stop();
        act();
        _active.Start();
    }

    private void Report(StepRecord record, bool isLast)
    {
        if (_state.Step > 1 && !isLast && Stopwatch.GetElapsedTime(_lastReport) < ReportEvery)
        {
            return;
        }

        _lastReport = Stopwatch.GetTimestamp();
        var seconds = _active.Elapsed.TotalSeconds;
        var progress = Progress();
        emit(new TrainerProgress(
            _state.Step,
            progress,
            _state.Tokens,
            record.Loss,
            record.LearningRate,
            record.GradientNorm,
            _state.Tokens / Math.Max(seconds, 1e-9),
            _state.ValidationLoss,
            Math.Max(0, (1 - progress) / Math.Max(progress, 1e-9) * seconds),
            _guard.Skipped,
            Environment.WorkingSet,
            DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
