using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

public class TrainingPlannerTests
{
    private static readonly TrainingFacts Plenty = new(Cores: 2, HasNarrowMatrices: true, MemoryBytes: 8L << 30, DiskBytes: 8L << 30, TextBytes: 1 << 20);

    [Fact]
    public void Everything_that_was_left_out_has_a_default()
    {
        var plan = TrainingPlanner.Plan(Request(), Plenty);

        Assert.Equal((8, 8, 100L, 2), (plan.BatchWindows, plan.MicroWindows, plan.Steps!.Value, plan.Threads));
        Assert.Equal((64, 2, 192, 512), (plan.Sizes.Hidden, Assert.IsType<LlamaSizes>(plan.Sizes).KvHeads, plan.Sizes.Intermediate, plan.Sizes.Vocabulary));
        Assert.Equal(new LearningRate(1e-3, 0.05, 0.1), plan.Rate);
        Assert.True(plan.Narrow);
        Assert.False(plan.HalfWeights);
    }

    [Fact]
    public void Automatic_precision_follows_the_processor() =>
        Assert.False(TrainingPlanner.Plan(Request(), Plenty with { HasNarrowMatrices = false }).Narrow);

    [Fact]
    public void A_budget_of_tokens_is_rounded_up_to_steps() =>
        Assert.Equal(3, TrainingPlanner.Plan(Request() with { Budget = new TrainingBudget { Tokens = 1025 } }, Plenty).Steps);

    [Fact]
    public void Above_16_bits_a_pass_is_shorter_so_that_its_logits_do_not_grow_and_memory_decides_how_far_it_goes()
    {
        var request = Request() with { BatchTokens = 4096, Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 65_536 } };
        var wide = request with { Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 131_072 } };

        var plan = TrainingPlanner.Plan(wide, Plenty);
        Assert.Equal((2048 / 64, 4), (plan.MicroWindows, plan.IdBytes));
        Assert.Equal((4096 / 64, 2), (TrainingPlanner.Plan(request, Plenty).MicroWindows, TrainingPlanner.Plan(request, Plenty).IdBytes));
        Assert.Equal(ErrorCode.OutOfMemory, Assert.Throws<LlmOsException>(() => TrainingPlanner.Plan(wide, Plenty with { MemoryBytes = 2L << 30 })).Code);
    }

    public static TheoryData<string, TrainingRequest> Refused => new()
    {
        { "kind", Request() with { Kind = "finetune" } },
        { "text", Request() with { Text = null } },
        { "dataset", Request() with { Dataset = "d:1" } },
        { "tokenizer", Request() with { Tokenizer = null } },
        { "tokenizer.train", Request() with { Tokenizer = new TokenizerChoice { Vocabulary = 512 } } },
        { "tokenizer.train", Request() with { Tokenizer = new TokenizerChoice { Train = "unigram" } } },
        { "tokenizer.vocabulary", Request() with { Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 256 } } },
        { "tokenizer.vocabulary", Request() with { Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 1_048_577 } } },
        { "tokenizer.special_tokens", Request() with { Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 512, SpecialTokens = [] } } },
        { "tokenizer.special_tokens", Request() with { Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 512, SpecialTokens = ["<a>", "<a>"] } } },
        { "architecture", Request() with { Architecture = null } },
        { "architecture.type", Shape(a => a with { Type = "mamba" }) },
        { "architecture.layers", Shape(a => a with { Layers = -1 }) },
        { "architecture.hidden", Shape(a => a with { Hidden = 1 << 20 }) },
        { "architecture.heads", Shape(a => a with { Heads = 5 }) },
        { "architecture.heads", Shape(a => a with { Hidden = 36, Heads = 4, KvHeads = 4 }) }, // heads of width 9
        { "architecture.kv_heads", Shape(a => a with { KvHeads = 3 }) },
        { "architecture.kv_heads", Shape(a => a with { Type = "gpt2", KvHeads = 2 }) },
        { "architecture.rope_theta", Shape(a => a with { Type = "gpt2", KvHeads = null, RopeTheta = 1e4 }) },
        { "architecture.intermediate", Shape(a => a with { Intermediate = 0 }) },
        { "architecture.context", Shape(a => a with { Context = 0 }) },
        { "architecture.rope_theta", Shape(a => a with { RopeTheta = double.NaN }) },
        { "budget", Request() with { Budget = null } },
        { "budget", Request() with { Budget = new TrainingBudget { Steps = 1, Minutes = 1 } } },
        { "budget.steps", Request() with { Budget = new TrainingBudget { Steps = 0 } } },
        { "budget.tokens", Request() with { Budget = new TrainingBudget { Tokens = long.MaxValue } } },
        { "budget.minutes", Request() with { Budget = new TrainingBudget { Minutes = double.PositiveInfinity } } },
        { "batch_tokens", Request() with { BatchTokens = 100 } },
        { "micro_batch_tokens", Request() with { MicroBatchTokens = -64 } },
        { "learning_rate", Request() with { LearningRate = 1e308 } },
        { "window", Request() with { Window = 65 } },
        { "schedule", Request() with { Schedule = "step" } },
        { "patience", Request() with { Patience = 0 } },
        { "patience", Request() with { Patience = 2, CheckpointEvery = 0 } },
        { "patience", Request() with { Patience = 2, Validation = 0 } },
        { "samples", Request() with { Samples = ["", "", "", "", ""] } },
        { "samples", Request() with { Samples = [new string('a', 501)] } },
        { "samples", Request() with { Samples = [null!] } },
        { "warmup", Request() with { Warmup = 2 } },
        { "minimum_rate", Request() with { MinimumRate = -1 } },
        { "weight_decay", Request() with { WeightDecay = -1 } },
        { "clip", Request() with { Clip = 0 } },
        { "precision", Request() with { Precision = "fp8" } },
        { "weights", Request() with { Weights = "int8" } },
        { "checkpoint_every", Request() with { CheckpointEvery = -1 } },
        { "validate_every", Request() with { ValidateEvery = 0 } },
        { "validation", Request() with { Validation = 0.9 } },
        { "threads", Request() with { Threads = 0 } },
        { "license", Request() with { License = "a\nb" } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_bad_number_is_refused_by_the_name_of_its_field(string field, TrainingRequest request)
    {
        var refusal = Assert.Throws<LlmOsException>(() => TrainingPlanner.CheckAlone(request));

        Assert.Equal((ErrorCode.InvalidRequest, field), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void A_training_that_would_not_fit_into_memory_is_refused_before_it_starts()
    {
        var refusal = Assert.Throws<LlmOsException>(() => TrainingPlanner.Plan(Request(), Plenty with { MemoryBytes = 100 << 20 }));

        Assert.Equal(ErrorCode.OutOfMemory, refusal.Code);
    }

    [Fact]
    public void Nor_one_that_would_fill_the_disk()
    {
        var refusal = Assert.Throws<LlmOsException>(() => TrainingPlanner.Plan(Request(), Plenty with { DiskBytes = 1 << 20 }));

        Assert.Equal(ErrorCode.OutOfDisk, refusal.Code);
    }

    private static TrainingRequest Request() => new()
    {
        Name = "m",
        Text = "file:/t.txt",
        Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 512 },
        Architecture = new ArchitectureSpec { Type = "llama", Layers = 2, Hidden = 64, Heads = 4, KvHeads = 2, Context = 64 },
        Budget = new TrainingBudget { Steps = 100 },
    };

    private static TrainingRequest Shape(Func<ArchitectureSpec, ArchitectureSpec> change) => Request() with { Architecture = change(Request().Architecture!) };
}
