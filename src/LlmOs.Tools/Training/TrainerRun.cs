using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using TorchSharp;
using static TorchSharp.torch;

namespace LlmOs.Tools.Training;

/// <summary>One training from its job to its result folder. Only the trainer process calls this: it carries libtorch.</summary>
/// <remarks>Everything runs on the caller's thread.</remarks>
internal static class TrainerRun
{
    /// <exception cref="LlmOsException">The job asks for what cannot be.</exception>
    public static TrainerCompleted Execute(TrainerJob job, Action<TrainerEvent> emit, CancellationToken cancel)
    {
        if (!File.Exists(job.TextPath))
        {
            throw LlmOsException.Invalid("text", "There is no such file of text.");
        }

        Directory.CreateDirectory(job.WorkFolder);
        var plan = TrainingPlanner.Plan(job.Spec, TrainerMachine.Facts(job.WorkFolder, new FileInfo(job.TextPath).Length, null, null));
        var tokenizer = PrepareTokenizer(job, plan, emit, cancel, out var documents);
        plan = plan with { Sizes = plan.Sizes with { Vocabulary = tokenizer.VocabularySize } };

        emit(new TrainerStage("tokenising the text"));
        using var corpus = TokenCorpus.Build(
            job.WorkFolder, TextChunks.Read(job.TextPath, tokenizer.EndSpelling), documents, plan.Validation, tokenizer.EndToken, tokenizer.Encode, cancel);
        CheckLength(plan, corpus, emit);

        OpenTorch(plan);
        return Train(job, plan, tokenizer, corpus, emit, cancel);
    }

    private static TextTokenizer PrepareTokenizer(TrainerJob job, TrainingPlan plan, Action<TrainerEvent> emit, CancellationToken cancel, out long documents)
    {
        emit(new TrainerStage("training the tokenizer"));
        var separator = plan.SpecialTokens[0];
        long counted = 0;
        var hasText = false;
        var tokenizer = TextTokenizer.Train(job.WorkFolder, Counting(), plan.Sizes.Vocabulary, plan.SpecialTokens, cancel);
        if (tokenizer.VocabularySize < plan.Sizes.Vocabulary)
        {
            emit(new TrainerWarning($"The text has too few repeated words for {plan.Sizes.Vocabulary} tokens: the vocabulary has {tokenizer.VocabularySize}."));
        }

        documents = counted;
        return tokenizer;

        IEnumerable<TextChunk> Counting()
        {
            foreach (var chunk in TextChunks.Read(job.TextPath, separator))
            {
                hasText |= !chunk.Text.IsEmpty;
                if (chunk.EndsDocument && hasText)
                {
                    counted++;
                    hasText = false;
                }

                yield return chunk;
            }
        }
    }

    private static void CheckLength(TrainingPlan plan, TokenCorpus corpus, Action<TrainerEvent> emit)
    {
        var needed = (2L * plan.Sizes.Context) + 1;
        if (corpus.TrainTokens < needed)
        {
            throw LlmOsException.Invalid(
                "text", $"The text has {corpus.TrainTokens} tokens to train on; a context of {plan.Sizes.Context} needs at least {needed}.");
        }

        if (corpus.ValidationTokens <= plan.Sizes.Context)
        {
            emit(new TrainerWarning($"The {corpus.ValidationTokens} tokens kept for validation do not fill one window: there is no validation loss."));
        }
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
        TrainerJob job, TrainingPlan plan, TextTokenizer tokenizer, TokenCorpus corpus, Action<TrainerEvent> emit, CancellationToken cancel)
    {
        var checkpoints = new Checkpoints(job.CheckpointFolder ?? Path.Combine(job.WorkFolder, "checkpoints"), job.WorkFolder, plan.Sizes, tokenizer.EndToken);
        checkpoints.DeleteAll();
        TrainingHistory history;
        List<(string Name, long[] Shape, float[] Values)> weights;
        using (var module = new LlamaModule(plan.Sizes))
        using (var optimizer = new FlatAdamW(module, plan.Narrow ? ScalarType.BFloat16 : ScalarType.Float32, plan.AdamW, LlamaModule.Decays, plan.Threads))
        {
            emit(new TrainerStage($"training {plan.Sizes.Parameters} weights in {(plan.Narrow ? "bf16" : "f32")} on {corpus.TrainTokens} tokens"));
            history = new TrainingLoop(plan, HashOf(job.Spec), corpus, module, optimizer, checkpoints, emit).Run(cancel);
            weights = [.. optimizer.Slots.Select(s => (s.Name, s.Shape, Stored(optimizer.Weights(s), plan.HalfWeights)))];
        }

        emit(new TrainerStage("writing the model"));
        HuggingFaceFolder.WriteWhole(job.ResultFolder, folder => WriteResult(folder, job, plan, tokenizer, corpus, history, weights));
        var last = history.Steps[^1];
        return new TrainerCompleted(
            job.ResultFolder, last.Step, history.Tokens, last.Loss ?? 0, history.Validation.Count == 0 ? null : history.Validation[^1].Loss, history.Seconds);
    }

    private static void WriteResult(
        string folder,
        TrainerJob job,
        TrainingPlan plan,
        TextTokenizer tokenizer,
        TokenCorpus corpus,
        TrainingHistory history,
        List<(string Name, long[] Shape, float[] Values)> weights)
    {
        var type = plan.HalfWeights ? TensorType.F16 : TensorType.F32;
        HuggingFaceFolder.WriteTensors(Path.Combine(folder, "model.safetensors"), type, [.. weights.Select(w => (w.Name, w.Shape))], writer =>
            weights.ForEach(w => writer.Write(w.Name, w.Values)));
        HuggingFaceFolder.WriteConfig(folder, plan.Sizes, tokenizer.EndToken, plan.HalfWeights);
        HuggingFaceFolder.WriteGenerationConfig(folder, tokenizer.EndToken);
        HuggingFaceFolder.WriteTokenizerConfig(folder, tokenizer.EndSpelling, plan.Sizes.Context, job.Spec.ChatTemplate);
        HuggingFaceFolder.CopyTokenizer(job.WorkFolder, folder);
        HuggingFaceFolder.WriteCard(folder, job.Spec.Name, job.Spec.License, plan.Sizes.Parameters);
        WriteHistory(folder, job, plan, corpus, history);

        using var module = new LlamaModule(plan.Sizes);
        var byName = weights.ToDictionary(w => w.Name, w => w.Values);
        ModuleWeights.Set(module, name => byName[name]);
        ParityPrompts.Write(folder, module, ParityPrompts.Choose(corpus, plan.Sizes));
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
