using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Corpus;
using LlmOs.Trainer.Files;
using LlmOs.Trainer.Modules;
using LlmOs.Trainer.Objectives;
using LlmOs.Trainer.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace LlmOs.Trainer.Run;

/// <summary>One training from its job to its result folder. </summary>
/// <remarks>Everything runs on the caller's thread.</remarks>
internal static class TrainerRun
{
    /// <exception cref="LlmOsException">The job asks for what cannot be.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop, or another trainer has taken the job over.</exception>
    public static TrainerCompleted Execute(TrainerJob job, Action<TrainerEvent> emit, TrainerControl control)
    {
        var turn = TrainerTurn.Claim(job.WorkFolder, job.Turn);
        var textBytes = File.Exists(job.TextPath) ? new FileInfo(job.TextPath).Length : 0;
        var plan = TrainingPlanner.Plan(job.Spec, TrainerMachine.Facts(job.WorkFolder, textBytes, BaseSizes(job), job.StoredVocabulary));
        var text = PreparedText.Prepare(job, plan, emit, control.Stopping);
        plan = plan with { Sizes = plan.Sizes with { Vocabulary = text.Vocabulary } };
        using var corpus = text.Open();
        CheckLength(plan, corpus, emit);

        OpenTorch(plan);
        return Train(job, plan, text, corpus, turn, emit, control);
    }

    private static DecoderSizes? BaseSizes(TrainerJob job) => job.BaseFolder is { } folder
        ? BaseModel.SizesOf(File.ReadAllBytes(Path.Combine(folder, HuggingFaceFolder.ConfigFile)), "base")
        : null;

    private static void CheckLength(TrainingPlan plan, TokenCorpus corpus, Action<TrainerEvent> emit)
    {
        var needed = (2L * plan.Window) + 1;
        if (corpus.TrainTokens < needed)
        {
            throw LlmOsException.Invalid(
                "text", $"The text has {corpus.TrainTokens} tokens to train on; a window of {plan.Window} needs at least {needed}.");
        }

        if (corpus.ValidationTokens > plan.Window)
        {
            return;
        }

        if (plan.Patience is not null)
        {
            throw LlmOsException.Invalid("patience", $"The {corpus.ValidationTokens} tokens kept for validation do not fill one window of {plan.Window}, so nothing would tell when to end early.");
        }

        emit(TrainerWarning.Of(TrainingCodes.NoValidation.With(("tokens", corpus.ValidationTokens))));
    }

    private static void OpenTorch(TrainingPlan plan)
    {
        if (!TryInitializeDeviceType(DeviceType.CPU))
        {
            throw new LlmOsException(ErrorCode.TrainerUnavailable, "libtorch could not be loaded.")
            {
                Hint = "Training needs libtorch for this platform beside the trainer; serving works without it.",
            };
        }

        set_num_threads(plan.Threads);
        random.manual_seed(plan.Seed);
    }

    private static TrainerCompleted Train(
        TrainerJob job, TrainingPlan plan, PreparedText text, TokenCorpus corpus, TrainerTurn turn, Action<TrainerEvent> emit, TrainerControl control)
    {
        var companions = new ModelCompanions(plan.Sizes, text, job.BaseFolder, job.Spec);
        var folder = Path.Combine(job.WorkFolder, "checkpoints");
        var checkpoints = new Checkpoints(folder, companions, turn, plan.CheckpointBytes);
        var found = checkpoints.FindWhole(warning => emit(TrainerWarning.Of(warning)));
        TrainingHistory history;
        List<(string Name, long[] Shape, float[] Values)> weights;
        using (var module = TrainableModules.New(plan.Sizes))
        {
            if (job.BaseFolder is not null && found is null)
            {
                ModuleWeights.Load(module, plan.Sizes, job.BaseFolder);
            }

            using var optimizer = new FlatAdamW(module, plan.Narrow ? ScalarType.BFloat16 : ScalarType.Float32, plan.AdamW, plan.Sizes.Decays, plan.Threads);
            var state = found is null ? NewState(job, plan) : GoOn(job, plan, found.Value, optimizer, emit);
            using var log = StepLog.Open(Path.Combine(job.WorkFolder, "steps.csv"), state.Step);
            emit(TrainerStage.Of(TrainingCodes.TrainingWeights.With(("weights", plan.Sizes.Parameters), ("precision", plan.Narrow ? "bf16" : "f32"), ("tokens", corpus.TrainTokens))));
            var samples = new LiveSamples(module, text, plan);
            history = new TrainingLoop(plan, state, corpus, new TrainingStep(module, optimizer, new CausalLanguageModel()), optimizer, checkpoints, log, samples, turn, control, emit).Run();
            weights = [.. optimizer.Slots.Select(s => (s.Name, s.Shape, Stored(optimizer.Weights(s), plan.HalfWeights)))];
        }

        emit(TrainerStage.Of(TrainingCodes.WritingModel));
        var bytes = 12 * plan.Sizes.Parameters; // weights and logits
        DurableFolder.Delete(job.ResultFolder); // of a start that was killed after it had written it
        DiskRoom.Write(Path.GetDirectoryName(job.ResultFolder)!, "The trained model", bytes, () =>
            DurableFolder.Write(job.ResultFolder, unfinished => WriteResult(unfinished, job, plan, text, companions, corpus, history, weights)));
        FaultPoints.Reach("result.written");
        var last = history.Steps[^1];
        return new TrainerCompleted(
            job.ResultFolder,
            last.Step,
            history.KeptStep,
            history.Tokens,
            last.Loss ?? 0,
            history.Validation.Where(v => v.Step <= history.KeptStep).Select(v => (double?)v.Loss).LastOrDefault(),
            history.Seconds);
    }

    private static TrainingState NewState(TrainerJob job, TrainingPlan plan) => new(
        Step: 0,
        Samples: 0,
        Updates: 0,
        Tokens: 0,
        ActiveSeconds: 0,
        RateFactor: 1,
        Rollbacks: 0,
        new SpikeGuard().Memory,
        Validation: [],
        BestStep: 0,
        Stale: 0,
        plan.Seed,
        plan.Threads,
        plan.Narrow,
        HashOf(job.Spec),
        __version__);

    private static TrainingState GoOn(
        TrainerJob job, TrainingPlan plan, (string Folder, TrainingState State) found, FlatAdamW optimizer, Action<TrainerEvent> emit)
    {
        var state = found.State;
        if (state.PlanHash != HashOf(job.Spec))
        {
            throw new LlmOsException(ErrorCode.Conflict, "The checkpoint in the job's folder belongs to another request.")
            {
                Hint = "Submit the request as a new job.",
            };
        }

        if ((state.Threads, state.Narrow, state.Torch) != (plan.Threads, plan.Narrow, __version__))
        {
            emit(TrainerWarning.Of(TrainingCodes.OtherArithmetic));
        }

        Checkpoints.Read(found.Folder, optimizer);
        emit(new TrainerCheckpoint(state.Step, found.Folder));
        emit(TrainerStage.Of(TrainingCodes.GoingOn.With(("step", state.Step))));
        return state;
    }

    private static void WriteResult(
        string folder,
        TrainerJob job,
        TrainingPlan plan,
        PreparedText text,
        ModelCompanions companions,
        TokenCorpus corpus,
        TrainingHistory history,
        List<(string Name, long[] Shape, float[] Values)> weights)
    {
        var type = plan.HalfWeights ? TensorType.F16 : TensorType.F32;
        HuggingFaceFolder.WriteTensors(Path.Combine(folder, "model.safetensors"), type, [.. weights.Select(w => (w.Name, w.Shape))], writer =>
            weights.ForEach(w => writer.Write(w.Name, w.Values)));
        companions.Write(folder, plan.HalfWeights);
        WriteHistory(folder, job, plan, corpus, history);

        using var module = TrainableModules.New(plan.Sizes);
        var byName = weights.ToDictionary(w => w.Name, w => w.Values);
        ModuleWeights.Set(module, name => byName[name]);
        ParityRecorder.Write(folder, module, plan, ParityRecorder.Choose(corpus, plan), text.EndToken);
    }

    private static void WriteHistory(string folder, TrainerJob job, TrainingPlan plan, TokenCorpus corpus, TrainingHistory history) =>
        HuggingFaceFolder.WriteJson(folder, "training.json", json =>
        {
            json.WritePropertyName("spec");
            JsonSerializer.Serialize(json, job.Spec with { Text = null }, LlmOsJson.Options);
            json.WriteNumber("parameters", plan.Sizes.Parameters);
            json.WriteNumber("vocabulary", plan.Sizes.Vocabulary);
            json.WriteNumber("train_tokens", corpus.TrainTokens);
            json.WriteNumber("validation_tokens", corpus.ValidationTokens);
            json.WriteString("precision", plan.Narrow ? "bf16" : "f32");
            json.WriteNumber("threads", plan.Threads);
            json.WriteString("torch", __version__);
            json.WriteNumber("tokens", history.Tokens);
            json.WriteNumber("seconds", history.Seconds);
            json.WriteNumber("skipped_steps", history.Skipped);
            json.WriteNumber("kept_step", history.KeptStep);
            json.WritePropertyName("validation");
            JsonSerializer.Serialize(json, history.Validation, LlmOsJson.Options);
            json.WritePropertyName("steps");
            JsonSerializer.Serialize(json, history.Steps, LlmOsJson.Options);
        });

    /// <summary>The weights as the file will hold them: rounded to f16 where that is asked for.</summary>
    private static float[] Stored(ReadOnlySpan<float> weights, bool half)
    {
        var values = weights.ToArray();
        if (half)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(Half)values[i];
            }
        }

        return Array.TrueForAll(values, float.IsFinite)
            ? values
            : throw new LlmOsException(ErrorCode.InvalidRequest, "The trained weights are too large to be stored, or no numbers at all.")
            {
                Field = "learning_rate",
                Hint = "Take a lower 'learning_rate', or 'weights': \"f32\".",
            };
    }

    private static string HashOf(TrainingRequest spec) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec, LlmOsJson.Options)));
}
