using System.Text;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>The graph of OLMo 2 against OLMo 2 written out plainly, on small random weights.</summary>
public sealed class Olmo2GraphTests : IDisposable
{
    private static readonly int[] Ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-olmo2-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <remarks>A head of 12 is stored wider: the norm over all heads must not see what fills it.</remarks>
    [Theory]
    [InlineData(4, 4, 16, false)]
    [InlineData(4, 2, 16, true)]
    [InlineData(4, 2, 12, false)]
    [InlineData(6, 3, 10, true)]
    public void Hidden_states_and_logits_equal_the_plain_arithmetic(int heads, int kvHeads, int width, bool tied)
    {
        var (architecture, config) = Read(heads, kvHeads, width, tied);
        var weights = new RandomWeights(architecture.Weights(config), seed: 11);
        using var run = new GraphRun(architecture.WriteGraph(config, weights, WeightPrecision.F32, _folder, withStates: true, CancellationToken.None), states: 3, hidden: config.Hidden);

        var logits = run.Forward(Ids);

        var plain = new PlainOlmo2(weights, 2, heads, kvHeads, width, 10_000, 1e-5, tied).Forward(Ids);
        Assert.InRange(Difference(plain.States.SelectMany(state => state).SelectMany(row => row), run.States), 0, 1e-4);
        Assert.InRange(Difference(plain.Logits.SelectMany(row => row), logits.SelectMany(row => row)), 0, 1e-4);
    }

    [Fact]
    public void Single_tokens_through_the_cache_give_the_logits_of_one_run()
    {
        var (architecture, config) = Read(4, 2, 12, tied: false);
        using var run = new GraphRun(architecture.WriteGraph(config, new RandomWeights(architecture.Weights(config), seed: 2), WeightPrecision.F32, _folder, withStates: false, CancellationToken.None));
        var whole = run.Forward(Ids);

        var steps = Ids.Select((id, i) => run.Step([id], i, 0)[0]).ToList();

        Assert.InRange(Difference(whole.SelectMany(row => row).Select(x => (double)x), steps.SelectMany(row => row)), 0, 1e-4);
    }

    [Fact]
    public void Its_weights_are_those_that_are_published()
    {
        var (architecture, config) = Read(4, 2, 16, tied: false);

        var layer = architecture.Weights(config).Where(weight => weight.Name.StartsWith("model.layers.1.", StringComparison.Ordinal))
            .Select(weight => $"{weight.Name["model.layers.1.".Length..]} [{string.Join(", ", weight.Shape)}]").Order(StringComparer.Ordinal);

        Assert.Equal(
            [
                "mlp.down_proj.weight [48, 56]", "mlp.gate_proj.weight [56, 48]", "mlp.up_proj.weight [56, 48]",
                "post_attention_layernorm.weight [48]", "post_feedforward_layernorm.weight [48]",
                "self_attn.k_norm.weight [32]", "self_attn.k_proj.weight [32, 48]", "self_attn.o_proj.weight [48, 64]",
                "self_attn.q_norm.weight [64]", "self_attn.q_proj.weight [64, 48]", "self_attn.v_proj.weight [32, 48]",
            ],
            layer);
    }

    private static (DecoderArchitecture Architecture, ModelConfig Config) Read(int heads, int kvHeads, int width, bool tied)
    {
        var json = ConfigJson.Parse(
            Encoding.UTF8.GetBytes($$"""
                {"model_type": "olmo2", "architectures": ["Olmo2ForCausalLM"], "hidden_size": 48, "intermediate_size": 56,
                 "num_hidden_layers": 2, "num_attention_heads": {{heads}}, "num_key_value_heads": {{kvHeads}}, "head_dim": {{width}},
                 "vocab_size": 40, "max_position_embeddings": 64, "rope_theta": 10000, "rms_norm_eps": 1e-05,
                 "hidden_act": "silu", "attention_bias": false, "tie_word_embeddings": {{(tied ? "true" : "false")}}}
                """),
            "config.json");
        var architecture = Assert.IsType<DecoderArchitecture>(Architectures.Of(json));
        return (architecture, architecture.ReadConfig(json));
    }

    private static double Difference(IEnumerable<double> expected, IEnumerable<float> actual)
    {
        var (left, right) = (expected.ToList(), actual.ToList());
        Assert.Equal(left.Count, right.Count);
        return left.Zip(right).Max(pair => Math.Abs(pair.First - pair.Second));
    }
}
