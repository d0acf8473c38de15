using System.Diagnostics;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Corpus;
using LlmOs.Trainer.Objectives;
using LlmOs.Trainer.Optimisation;
using TorchSharp;

namespace LlmOs.Trainer.Run;

/// <summary>What a whole training was.</summary>
/// <param name="KeptStep">The step whose weights were kept.</param>
internal sealed record TrainingHistory(
    IReadOnlyList<StepRecord> Steps,
    IReadOnlyList<ValidationRecord> Validation,
    long KeptStep,
    long Tokens,
    double Seconds,
    int Skipped);

/// <summary>
/// The training itself: batches in an order that only the seed decides, gradient accumulation, clipping, AdamW, validation,
/// checkpoints, and a guard that throws away gradients which would wreck the weights. Whether it runs in one go or is stopped
/// anywhere and goes on from a checkpoint, it computes the same numbers.
/// </summary>
/// <remarks>Runs on the caller's thread from beginning to end; torch's modes and scopes belong to it.</remarks>
/// <param name="from">The standing to go on from; weights and moments are already in the optimizer.</param>
internal sealed class TrainingLoop(
    TrainingPlan plan,
    TrainingState from,
    TokenCorpus corpus,
    TrainingStep step,
    FlatAdamW optimizer,
    Checkpoints checkpoints,
    StepLog log,
    LiveSamples samples,
    TrainerTurn turn,
    TrainerControl control,
    Action<TrainerEvent> emit)
{
    private const int MaxRollbacks = 3;
    private const int ValidationWindows = 64;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SpareEvery = TimeSpan.FromMinutes(5);

    private readonly BatchOrder _order = new(plan.Seed, corpus.TrainTokens, plan.Window);
    private readonly SpikeGuard _guard = new(from.Guard);
    private readonly Stopwatch _active = new();
    private readonly TrainingState _from = from;
    private TrainingState _state = from;
    private long _lastReport;
    private long _lastCheckpoint;

    private double ActiveSeconds => _from.ActiveSeconds + _active.Elapsed.TotalSeconds;

    /// <exception cref="OperationCanceledException">It was asked to stop; for a pause it left a checkpoint.</exception>
    public TrainingHistory Run()
    {
        _active.Start();
        _lastCheckpoint = Stopwatch.GetTimestamp();
        while (Progress() < 1 && !IsStale())
        {
            Obey();
            var before = Progress();
            var record = TakeStep(plan.Rate.At(before) * _state.RateFactor);
            log.Add(record);
            var isBest = IsTimeToValidate(before) && Validate();
            if (plan.CheckpointEvery > 0 && (isBest || _state.Step % plan.CheckpointEvery == 0))
            {
                Paused(() => WriteCheckpoint(due: true));
            }
            else if (control.TakeCheckpoint() || (plan.CheckpointEvery > 0 && Stopwatch.GetElapsedTime(_lastCheckpoint) > SpareEvery))
            {
                Paused(() => WriteCheckpoint(due: false));
            }

            Report(record, isLast: Progress() >= 1);
        }

        _active.Stop();
        turn.Check();
        if (plan.Patience is not null && _state.BestStep > 0 && _state.BestStep < _state.Step)
        {
            emit(TrainerStage.Of(TrainingCodes.KeepingBest.With(("step", _state.BestStep))));
            Checkpoints.Read(checkpoints.At(_state.BestStep), optimizer);
            return History(_state.BestStep);
        }

        return History(_state.Step);
    }

    private TrainingHistory History(long kept) => new(log.Steps, _state.Validation, kept, _state.Tokens, ActiveSeconds, _guard.Skipped);

    private double Progress() => plan.Steps is { } steps
        ? (double)_state.Step / steps
        : Math.Min(1, ActiveSeconds / 60 / plan.Minutes!.Value);

    private bool IsStale() => plan.Patience is { } patience && _state.Stale >= patience;

    /// <summary>Does what was asked for since the last step.</summary>
    private void Obey()
    {
        turn.CheckNowAndThen();
        if (!control.Stopping.IsCancellationRequested)
        {
            return;
        }

        if (control.IsPause && _state.Step > _from.Step)
        {
            WriteCheckpoint(due: false);
        }

        control.Stopping.ThrowIfCancellationRequested();
    }

    private StepRecord TakeStep(double rate)
    {
        var window = plan.Window;
        var loss = 0.0;
        for (var done = 0; done < plan.BatchWindows; done += plan.MicroWindows)
        {
            var windows = Math.Min(plan.MicroWindows, plan.BatchWindows - done);
            var ids = new long[windows * (window + 1)];
            for (var w = 0; w < windows; w++)
            {
                corpus.ReadTrain(_order.StartOf(_state.Samples + done + w), ids.AsSpan(w * (window + 1), window + 1));
            }

            loss += step.Accumulate(new TokenBatch(ids, window), (long)plan.BatchWindows * window);
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
            optimizer.Step(rate, Clipping.Scale(norm, plan.Clip));
            return;
        }

        optimizer.ClearGradient();
        if (verdict == StepVerdict.Skip)
        {
            emit(TrainerWarning.Of(TrainingCodes.StepSkipped.With(("step", _state.Step), ("loss", (double)loss), ("norm", (double)norm))));
            return;
        }

        if (checkpoints.LatestDue() is not { } latest || _state.Rollbacks >= MaxRollbacks)
        {
            throw new LlmOsException(ErrorCode.InvalidRequest, $"The training diverged at step {_state.Step}: three gradients in a row were no use.")
            {
                Field = "learning_rate",
                Hint = "Take a lower 'learning_rate' or a longer 'warmup'.",
            };
        }

        // The data goes on from here; only weights and moments go back.
        var old = Checkpoints.Read(latest, optimizer);
        _state = _state with { RateFactor = _state.RateFactor / 2, Rollbacks = _state.Rollbacks + 1 };
        emit(TrainerWarning.Of(TrainingCodes.RolledBack.With(("step", old.Step))));
    }

    private bool IsTimeToValidate(double before)
    {
        if (corpus.ValidationTokens <= plan.Window)
        {
            return false;
        }

        const int Times = 20;
        return Progress() >= 1
            || (plan.ValidateEvery is { } every ? _state.Step % every == 0 : (int)(Progress() * Times) > (int)(before * Times));
    }

    /// <summary>Measures the loss on the validation text and goes on with the samples.</summary>
    /// <returns>Whether it is the lowest so far.</returns>
    private bool Validate()
    {
        var isBest = false;
        Paused(() =>
        {
            isBest = Take(ValidationLoss());
            foreach (var sample in samples.Draw(_state.Step))
            {
                emit(sample);
            }
        });
        return isBest;
    }

    private bool Take(double loss)
    {
        if (!double.IsFinite(loss))
        {
            return false;
        }

        var isBest = _state.BestLoss is not { } best || loss < best;
        _state = _state with
        {
            Validation = [.. _state.Validation, new ValidationRecord(_state.Step, loss)],
            BestStep = isBest && plan.CheckpointEvery > 0 ? _state.Step : _state.BestStep,
            Stale = isBest ? 0 : _state.Stale + 1,
        };
        return isBest;
    }

    /// <summary>The mean loss of windows spread evenly over the validation text; always the same ones.</summary>
    private double ValidationLoss()
    {
        var window = plan.Window;
        var available = (corpus.ValidationTokens - 1) / window;
        var windows = (int)Math.Min(ValidationWindows, available);
        var sum = 0.0;
        for (var done = 0; done < windows; done += plan.MicroWindows)
        {
            var count = Math.Min(plan.MicroWindows, windows - done);
            var ids = new long[count * (window + 1)];
            for (var w = 0; w < count; w++)
            {
                corpus.ReadValidation((done + w) * available / windows * window, ids.AsSpan(w * (window + 1), window + 1));
            }

            sum += step.Evaluate(new TokenBatch(ids, window));
        }

        return sum / ((double)windows * window);
    }

    private void WriteCheckpoint(bool due)
    {
        log.Flush();
        _state = _state with { Updates = optimizer.Updates, ActiveSeconds = ActiveSeconds, Guard = _guard.Memory };
        emit(new TrainerCheckpoint(_state.Step, checkpoints.Write(optimizer, _state, due)));
        _lastCheckpoint = Stopwatch.GetTimestamp();
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
        if (_state.Step > _from.Step + 1 && !isLast && Stopwatch.GetElapsedTime(_lastReport) < ReportEvery)
        {
            return;
        }

        _lastReport = Stopwatch.GetTimestamp();
        var progress = Progress();
        var seconds = Math.Max(_active.Elapsed.TotalSeconds, 1e-9);
        emit(new TrainerProgress(
            _state.Step,
            progress,
            _state.Tokens,
            record.Loss,
            record.LearningRate,
            record.GradientNorm,
            (_state.Tokens - _from.Tokens) / seconds,
            _state.ValidationLoss,
            plan.Steps is { } steps ? (steps - _state.Step) * seconds / (_state.Step - _from.Step) : Math.Max(0, (plan.Minutes!.Value * 60) - ActiveSeconds),
            _guard.Skipped,
            Environment.WorkingSet,
            DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
