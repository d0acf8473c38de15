using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Tokenizers;
using static LlmOs.Infrastructure.FieldCheck;

namespace LlmOs.Tools.Training;

/// <summary>Turns a request into a plan, or refuses it with the field that is at fault. A pure function.</summary>
internal static class TrainingPlanner
{
    private const int MaxLayers = 256;
    private const int MaxHidden = 16_384;
    private const int MaxContext = 32_768;
    private const int MaxVocabulary = 1 << 20; // the memory plan refuses far less on most machines
    private const long MaxParameters = 500_000_000;
    private const int UsualWindow = 1024; // of a base, whose own context may be far longer than a step's memory allows
    private const int MaxSamples = 4;
    private const int MaxSampleCharacters = 500;

    public static TrainingPlan Plan(TrainingRequest request, TrainingFacts facts)
    {
        CheckRequest(request);
        var specialTokens = SpecialTokens(request.Tokenizer);
        var sizes = Sizes(request, facts, specialTokens.Count);
        That(sizes.Parameters <= MaxParameters, "architecture", $"The model would have {sizes.Parameters} weights; a training holds at most {MaxParameters}.");

        var context = Within("window", request.Window ?? (facts.Base is null ? sizes.Context : Math.Min(sizes.Context, UsualWindow)), Math.Min(8, sizes.Context), Math.Min(sizes.Context, MaxContext));
        var batchTokens = Within("batch_tokens", request.BatchTokens ?? Math.Min(8 * context, 1 << 20), 1, 1 << 22);
        That(batchTokens % context == 0, "batch_tokens", $"{batchTokens} is not a multiple of the window, {context}.");
        var microTokens = request.MicroBatchTokens is { } asked
            ? Within("micro_batch_tokens", asked, 1, 1 << 20)
            : Math.Min(batchTokens, Math.Max(context, UsualPass(sizes.Vocabulary) / context * context));
        That(microTokens % context == 0, "micro_batch_tokens", $"{microTokens} is not a multiple of the window, {context}.");

        var (steps, minutes) = Budget(request.Budget, batchTokens);
        var plan = new TrainingPlan(
            sizes,
            specialTokens,
            context,
            batchTokens / context,
            Math.Min(microTokens, batchTokens) / context,
            steps,
            minutes,
            new LearningRate(
                Within("learning_rate", request.LearningRate ?? 1e-3, 1e-8, 1),
                Within("warmup", request.Warmup ?? 0.05, 0, 1),
                Within("minimum_rate", request.MinimumRate ?? 0.1, 0, 1),
                OneOf("schedule", request.Schedule, "cosine", "linear", "constant") switch
                {
                    "linear" => RateShape.Linear,
                    "constant" => RateShape.Constant,
                    _ => RateShape.Cosine,
                }),
            new AdamWOptions(WeightDecay: Within("weight_decay", request.WeightDecay ?? 0.1, 0, 10)),
            Within("clip", request.Clip ?? 1, 1e-6, 1e6),
            OneOf("precision", request.Precision, "auto", "f32", "bf16") switch
            {
                "bf16" => true,
                "f32" => false,
                _ => facts.HasNarrowMatrices,
            },
            OneOf("weights", request.Weights, "f32", "f16") == "f16",
            request.Seed ?? 1,
            Within("checkpoint_every", request.CheckpointEvery ?? 200, 0, int.MaxValue),
            request.ValidateEvery is { } every ? Within("validate_every", every, 1, int.MaxValue) : null,
            Patience(request),
            Samples(request.Samples),
            Within("validation", request.Validation ?? 0.05, 0, 0.5),
            Within("threads", request.Threads ?? Math.Max(1, facts.Cores), 1, 1024));

        CheckRoom(plan, facts);
        return plan;
    }

    /// <summary>Applies every rule that needs to know nothing but the request.</summary>
    public static void CheckAlone(TrainingRequest request)
    {
        CheckRequest(request);
        if (request.Base is null)
        {
            const int AnyVocabulary = 1;
            Plan(request, new TrainingFacts(1, false, null, null, 0, null, request.Tokenizer!.Stored is null ? null : AnyVocabulary));
        }
    }

    /// <summary>Tokens of a pass; above 65,536 ids fewer, so that the logits of a pass, its largest tensor, do not grow with them.</summary>
    private static int UsualPass(int vocabulary) => (int)(4096L * TrainingPlan.NarrowVocabulary / Math.Max(TrainingPlan.NarrowVocabulary, vocabulary));

    private static void CheckRequest(TrainingRequest request)
    {
        OneOf("kind", request.Kind, "pretrain");
        TextFile.CheckEncoding(request.Encoding);
        That(request.Text is null || request.Dataset is null, "dataset", "Give 'text' or 'dataset', not both.");
        That(request.Text is not null || request.Dataset is not null, "text", "Give 'text': a file of UTF-8 text, as \"file:/path.txt\", or 'dataset': \"name:version\".");
        That(request.Column is null || request.Dataset is not null, "column", "'column' names a column of 'dataset', which is not given.");
        That(request.Encoding is null || request.Dataset is null, "encoding", "'encoding' is that of a file; a data set has none.");
        That(request.Base is not null || request.Architecture is not null, "architecture", "Give 'architecture', the shape of the new model, or 'base', a model to go on from.");
        That(request.Base is null || request.Architecture is null, "architecture", "'base' brings its own shape; leave 'architecture' away.");
        That(request.Base is null || request.Tokenizer is null, "tokenizer", "'base' brings its own tokenizer; leave 'tokenizer' away.");
        That(request.Base is not null || request.Tokenizer is not null, "tokenizer", "Give 'tokenizer': {\"train\": \"bpe\", \"vocabulary\": 4096}, or the name of a stored tokenizer or model.");
        That(request.ChatTemplate is null || request.ChatTemplate.Length <= 100_000, "chat_template", "A chat template has at most 100000 characters.");
        That(
            request.License is null || (request.License.Length is >= 1 and <= 100 && request.License.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+' or '_')),
            "license",
            "A licence is an SPDX identifier such as 'apache-2.0': letters, digits, '.', '-', '+' and '_', at most 100.");
    }

    private static IReadOnlyList<string> SpecialTokens(TokenizerChoice? tokenizer)
    {
        if (tokenizer is not { Stored: null })
        {
            return [TrainingPlan.EndOfText];
        }

        OneOf("tokenizer.train", tokenizer.Train, "bpe");
        That(tokenizer.Train is not null, "tokenizer.train", "'tokenizer.train' must be \"bpe\".");
        return TokenizerPlan.CheckSpecialTokens(tokenizer.SpecialTokens ?? [TrainingPlan.EndOfText], "tokenizer.special_tokens");
    }

    private static int? Patience(TrainingRequest request)
    {
        if (request.Patience is not { } patience)
        {
            return null;
        }

        That(request.CheckpointEvery is not 0, "patience", "Ending early keeps the best checkpoint's weights: give a 'checkpoint_every' above 0, or no 'patience'.");
        That(request.Validation is not 0, "patience", "Ending early needs a validation loss: give a 'validation' above 0, or no 'patience'.");
        return Within("patience", patience, 1, 1_000_000);
    }

    private static IReadOnlyList<string> Samples(IReadOnlyList<string>? asked)
    {
        var samples = asked ?? [""];
        That(
            samples.Count <= MaxSamples && samples.All(s => s is { Length: <= MaxSampleCharacters }),
            "samples",
            $"'samples' holds at most {MaxSamples} texts of at most {MaxSampleCharacters} characters.");
        return samples;
    }

    private static DecoderSizes Sizes(TrainingRequest request, TrainingFacts facts, int specialTokens)
    {
        if (facts.Base is { } known)
        {
            That(known.Vocabulary <= MaxVocabulary, "base", $"The model has {known.Vocabulary} tokens; a training holds at most {MaxVocabulary}.");
            return known;
        }

        var spec = request.Architecture!;
        var type = OneOf("architecture.type", spec.Type, [.. Architectures.Trainable.Select(a => a.ModelType)]);
        var layers = Within("architecture.layers", spec.Layers, 1, MaxLayers);
        var hidden = Within("architecture.hidden", spec.Hidden, 8, MaxHidden);
        var heads = Within("architecture.heads", spec.Heads, 1, hidden);
        That(hidden % heads == 0, "architecture.heads", $"{heads} heads do not divide a width of {hidden}.");
        var context = Within("architecture.context", spec.Context, 8, MaxContext);
        var vocabulary = facts.StoredVocabulary is { } stored
            ? Within("tokenizer", stored, 1, MaxVocabulary)
            : Within("tokenizer.vocabulary", request.Tokenizer?.Vocabulary ?? 4096, 256 + specialTokens, MaxVocabulary);
        return Architectures.Trainable.Single(a => a.ModelType == type).Training!.OfShape(new NewShape(spec, vocabulary, hidden, layers, heads, context));
    }

    private static (long? Steps, double? Minutes) Budget(TrainingBudget? budget, int batchTokens)
    {
        var given = (budget?.Steps is null ? 0 : 1) + (budget?.Tokens is null ? 0 : 1) + (budget?.Minutes is null ? 0 : 1);
        That(given == 1, "budget", "Give exactly one of 'budget.steps', 'budget.tokens' and 'budget.minutes'.");
        if (budget!.Minutes is { } minutes)
        {
            return (null, Within("budget.minutes", minutes, 0.01, 60 * 24 * 365));
        }

        return budget.Tokens is { } tokens
            ? ((Within("budget.tokens", tokens, 1, 1L << 50) + batchTokens - 1) / batchTokens, null)
            : (Within("budget.steps", budget.Steps!.Value, 1, int.MaxValue), null);
    }

    private static void CheckRoom(TrainingPlan plan, TrainingFacts facts)
    {
        if (facts.MemoryBytes is { } memory && plan.MemoryBytes > memory)
        {
            throw new LlmOsException(ErrorCode.OutOfMemory, $"The training needs about {plan.MemoryBytes >> 20} MB of memory; {memory >> 20} MB are free.")
            {
                Field = "architecture",
                Hint = "Take a smaller model or vocabulary, a shorter context or a smaller 'micro_batch_tokens'.",
            };
        }

        if (facts.DiskBytes is { } disk && plan.DiskBytes(facts.TextBytes) > disk)
        {
            throw new LlmOsException(ErrorCode.OutOfDisk, $"The training needs about {plan.DiskBytes(facts.TextBytes) >> 20} MB of disk; {disk >> 20} MB are free.")
            {
                Hint = "Free some room, or move the data folder (LLMOS_DATA) to a larger disk.",
            };
        }
    }
}
