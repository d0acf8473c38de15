using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Graphs in blocks against f32 graphs of the weights that the blocks stand for.</summary>
public sealed class BlockGraphTests : IDisposable
{
    private static readonly ModelConfig Config = new()
    {
        ModelType = "llama",
        Architecture = "LlamaForCausalLM",
        Hidden = 64,
        Intermediate = 96,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        HeadDim = 16,
        Vocabulary = 80,
        ContextLength = 64,
        TiedEmbeddings = true,
    };

    private static readonly int[] Prompt = [3, 14, 15, 9, 26, 5, 35, 8, 79, 32, 38, 46];

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-blocks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(WeightPrecision.EightBit, true)]
    [InlineData(WeightPrecision.EightBit, false)]
    [InlineData(WeightPrecision.FourBit, true)]
    [InlineData(WeightPrecision.FourBit, false)]
    public void Logits_are_those_of_the_rounded_weights_as_far_as_rounded_activations_allow(WeightPrecision precision, bool tied)
    {
        var config = Config with { TiedEmbeddings = tied };
        var weights = new RandomWeights(config, seed: 5);

        var blocks = Logits(config, weights, precision);
        var rounded = Logits(config, new Mapped(weights, (name, values) => RoundTrip(precision, name, values)), WeightPrecision.F32);
        var full = Logits(config, weights, WeightPrecision.F32);

        var spread = Spread(full);
        // 8-bit activations in blocks of 32 err by about half a percent of a product; a wrong scale or zero point by far more.
        Assert.InRange(Distance(blocks, rounded) / spread, 0, 0.03);
        Assert.InRange(Distance(blocks, full) / spread, 1e-6, precision == WeightPrecision.EightBit ? 0.03 : 0.25);
    }

    [Theory]
    [InlineData(WeightPrecision.FourBit, 0f)]
    [InlineData(WeightPrecision.FourBit, 0.37f)]
    [InlineData(WeightPrecision.EightBit, 0f)]
    public void Weights_that_were_blocks_with_or_without_a_minimum_are_served_without_loss(WeightPrecision precision, float minimum)
    {
        // 16 levels for each block of 32, as ggml's Q4_0 and Q4_1 have; the embedding is of 8-bit codes, as its Q8_0.
        var weights = new Mapped(new RandomWeights(Config, seed: 6), (name, values) => Levels(name, values, minimum));

        var blocks = Logits(Config, weights, precision);
        var full = Logits(Config, weights, WeightPrecision.F32);

        Assert.InRange(Distance(blocks, full) / Spread(full), 0, 0.03);
    }

    [Fact]
    public void A_step_of_one_token_and_a_whole_prompt_agree_as_far_as_rounded_activations_allow()
    {
        using var run = new GraphRun(LlamaGraph.Architecture.WriteGraph(Config, new RandomWeights(Config, seed: 5), WeightPrecision.FourBit, _folder, CancellationToken.None));
        var whole = run.Forward(Prompt);
        var steps = Prompt.Select((id, i) => run.Step([id], i, [0L])[0]).ToArray();

        Assert.InRange(Distance(whole, steps) / Spread(whole), 0, 0.03);
    }

    [Fact]
    public void Blocks_take_the_memory_that_their_format_says()
    {
        long Bytes(WeightPrecision precision)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, precision.ToString())).FullName;
            var config = Config with { Hidden = 256, HeadDim = 64, Intermediate = 1024 };
            LlamaGraph.Architecture.WriteGraph(config, new RandomWeights(config, seed: 1), precision, folder, CancellationToken.None);
            return new FileInfo(Path.Combine(folder, "weights.bin")).Length;
        }

        var (full, eight, four) = (Bytes(WeightPrecision.F32), Bytes(WeightPrecision.EightBit), Bytes(WeightPrecision.FourBit));

        Assert.InRange((double)eight / full, 9.0 / 32, 0.31); // 8 bits and a scale for each 32; tensors begin at multiples of 4096
        Assert.InRange((double)four / full, 5.125 / 32, 0.2);
    }

    private float[][] Logits(ModelConfig config, IWeightSource weights, WeightPrecision precision)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("n"))).FullName;
        using var run = new GraphRun(LlamaGraph.Architecture.WriteGraph(config, weights, precision, folder, CancellationToken.None));
        return run.Forward(Prompt);
    }

    private static void RoundTrip(WeightPrecision precision, string name, float[] values)
    {
        if (name.Contains("norm", StringComparison.Ordinal))
        {
            return;
        }

        var format = precision == WeightPrecision.EightBit || name.Contains("embed", StringComparison.Ordinal) || name.Contains("lm_head", StringComparison.Ordinal)
            ? new BlockFormat(8, 32, Symmetric: true)
            : new BlockFormat(4, 32, Symmetric: false);
        var codes = new byte[32];
        for (var at = 0; at < values.Length; at += 32)
        {
            var block = values.AsSpan(at, 32);
            var (scale, zero) = BlockQuantizer.Round(format, block, codes);
            for (var i = 0; i < 32; i++)
            {
                block[i] = (codes[i] - zero) * scale;
            }
        }
    }

    private static void Levels(string name, float[] values, float minimum)
    {
        if (name.Contains("norm", StringComparison.Ordinal))
        {
            return;
        }

        var random = new Random(name.Length);
        var isEmbedding = name.Contains("embed", StringComparison.Ordinal);
        for (var at = 0; at < values.Length; at += 32)
        {
            var d = (float)(Half)(0.01f + (random.NextSingle() * 0.02f));
            var m = (float)(Half)(-d * (7 + (2 * minimum)));
            for (var i = 0; i < 32; i++)
            {
                // The ends of the range are always taken, as an encoder takes them.
                var code = i switch { 0 => 0, 1 => 15, _ => random.Next(16) };
                values[at + i] = isEmbedding ? (i == 0 ? 127 : random.Next(-127, 128)) * (d / 16) : minimum == 0 ? (code - 8) * d : (code * d) + m;
            }
        }
    }

    private static double Distance(float[][] a, float[][] b) => Math.Sqrt(a.SelectMany(r => r).Zip(b.SelectMany(r => r)).Average(p => Math.Pow(p.First - p.Second, 2)));

    private static double Spread(float[][] logits)
    {
        var all = logits.SelectMany(r => r).ToList();
        var mean = all.Average();
        return Math.Sqrt(all.Average(v => Math.Pow(v - mean, 2)));
    }

    /// <summary>Weights with each tensor changed.</summary>
    private sealed class Mapped(IWeightSource inner, Action<string, float[]> change) : IWeightSource
    {
        private readonly Dictionary<string, float[]> _values = inner.Tensors.ToDictionary(t => t.Name, t =>
        {
            var values = new float[t.Elements];
            inner.Read(t.Name, 0, values);
            change(t.Name, values);
            return values;
        });

        public IReadOnlyCollection<TensorInfo> Tensors => inner.Tensors;

        public TensorInfo? Find(string name) => inner.Find(name);

        public void Read(string name, long offset, Span<float> destination) => _values[name].AsSpan((int)offset, destination.Length).CopyTo(destination);
    }
}
