using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;
using LlmOs.Models.Import.Gguf;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.Gguf;

/// <summary>
/// Published models written as GGUF the way llama.cpp's converter writes them, and read back: the same weights, the same
/// configuration.
/// </summary>
public sealed class GgufLayoutsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama-gqa", "llama")]
    [InlineData("llama-rope3-tied", "llama")]
    [InlineData("mixtral-moe", "llama")]
    [InlineData("qwen2-bias-tied", "qwen2")]
    [InlineData("qwen3-headdim", "qwen3")]
    [InlineData("gemma2", "gemma2")]
    [InlineData("gemma3-local-global", "gemma3")]
    [InlineData("phi3-fused", "phi3")]
    [InlineData("gpt2", "gpt2")]
    [InlineData("gpt-neox-parallel", "gptneox")]
    public void A_model_comes_back_as_it_was_published(string published, string architecture)
    {
        using var reference = new ReferenceModel(published);
        var path = GgufOf(reference, architecture).WriteTo(_folder.At("model.gguf"));
        var folder = Directory.CreateDirectory(_folder.At("folder")).FullName;

        using (var gguf = GgufFile.Open(path))
        {
            GgufFolder.Write(gguf, half: false, folder, _ => { }, CancellationToken.None);
        }

        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")), "config.json");
        var found = Architectures.Of(json).ReadConfig(json);
        Assert.Equal(Comparable(reference.Config), Comparable(found));

        using var weights = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var compared = 0;
        foreach (var tensor in reference.Weights.Tensors.Where(t => t.Type == TensorType.F32 && weights.Find(t.Name) is not null))
        {
            Assert.Equal(tensor.Shape, weights.Find(tensor.Name)!.Shape);
            var (expected, actual) = (new float[tensor.Elements], new float[tensor.Elements]);
            reference.Weights.Read(tensor.Name, 0, expected);
            weights.Read(tensor.Name, 0, actual);
            if (architecture.StartsWith("gemma", StringComparison.Ordinal) && tensor.Name.Contains("norm", StringComparison.Ordinal))
            {
                Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6f)); // one was added and taken away
            }
            else
            {
                Assert.Equal(expected, actual);
            }

            compared++;
        }

        Assert.Equal(reference.Architecture.Weights(reference.Config).Count, compared);
    }

    [Fact]
    public void An_architecture_that_is_not_read_is_refused_by_name()
    {
        using var gguf = GgufFile.Open(new GgufBytes().Pair("general.architecture", "mamba").WriteTo(_folder.At("m.gguf")));

        var refusal = Assert.Throws<ModelFormatException>(() => GgufFolder.Write(gguf, half: false, _folder.Path, _ => { }, CancellationToken.None));

        Assert.Equal(ModelFormatProblem.UnsupportedArchitecture, refusal.Problem);
        Assert.Contains("'mamba'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_the_architecture_does_not_have_is_refused_by_name()
    {
        using var reference = new ReferenceModel("llama-gqa");
        using var gguf = GgufFile.Open(GgufOf(reference, "llama").Tensor("blk.0.attn_sinks.weight", [4], [1f, 2f, 3f, 4f]).WriteTo(_folder.At("m.gguf")));

        var refusal = Assert.Throws<ModelFormatException>(() => GgufFolder.Write(gguf, half: false, _folder.Path, _ => { }, CancellationToken.None));

        Assert.Contains("blk.0.attn_sinks.weight", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>What must be equal: token ids are the tokenizer's, and Gemma's scale is not stored.</summary>
    private static string Comparable(ModelConfig config) => JsonSerializer.Serialize(config with { BeginToken = null, EndTokens = [], PadToken = null, AttentionScale = null });

    private static GgufBytes GgufOf(ReferenceModel reference, string architecture)
    {
        var config = reference.Config;
        var gguf = new GgufBytes()
            .Pair("general.architecture", architecture)
            .Pair($"{architecture}.block_count", (uint)config.Layers)
            .Pair($"{architecture}.context_length", (uint)config.ContextLength)
            .Pair($"{architecture}.embedding_length", (uint)config.Hidden)
            .Pair($"{architecture}.feed_forward_length", (uint)config.Intermediate)
            .Pair($"{architecture}.attention.head_count", (uint)config.Heads)
            .Pair($"{architecture}.attention.head_count_kv", (uint)config.KvHeads)
            .Pair($"{architecture}.attention.key_length", (uint)config.HeadDim)
            .Pair($"{architecture}.rope.dimension_count", (uint)config.Rope.RotaryWidth(config.HeadDim))
            .Pair($"{architecture}.rope.freq_base", (float)config.Rope.Theta)
            .Pair($"{architecture}.attention.{(architecture is "gpt2" or "gptneox" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon")}", (float)config.NormEpsilon);
        if (config.Windows.FirstOrDefault(w => w > 0) is var window and > 0)
        {
            gguf.Pair($"{architecture}.attention.sliding_window", (uint)window);
            if (architecture == "gemma3")
            {
                gguf.Pair("gemma3.attention.sliding_window_pattern", (uint)(config.Windows.ToList().IndexOf(0) + 1));
            }
        }

        if (config.AttentionSoftCap > 0)
        {
            gguf.Pair("gemma2.attn_logit_softcapping", (float)config.AttentionSoftCap).Pair("gemma2.final_logit_softcapping", (float)config.LogitSoftCap);
        }

        if (config.Experts is { } experts)
        {
            gguf.Pair($"{architecture}.expert_count", (uint)experts.Count).Pair($"{architecture}.expert_used_count", (uint)experts.PerToken);
        }

        if (config.Rope.Type == RopeType.Llama3)
        {
            // The converter stores by what each frequency is divided.
            var plain = RotaryTable.Frequencies(config.Rope with { Type = RopeType.Default }, config.HeadDim);
            var scaled = RotaryTable.Frequencies(config.Rope, config.HeadDim);
            gguf.Tensor("rope_freqs.weight", [plain.Length], [.. plain.Zip(scaled, (p, s) => (float)(p / s))]);
        }

        foreach (var group in reference.Architecture.Weights(config).GroupBy(t => StoredName(architecture, t.Name)))
        {
            var parts = group.Select(t => Stored(reference, architecture, group.Key, t)).ToList();
            var data = parts.SelectMany(p => p.Values).ToArray();
            gguf.Tensor(group.Key, parts.Count == 1 && !group.Key.Contains("_exps", StringComparison.Ordinal) ? parts[0].Shape : [parts.Count, .. parts[0].Shape], data);
        }

        return gguf;
    }

    private static (long[] Shape, float[] Values) Stored(ReferenceModel reference, string architecture, string name, TensorInfo tensor)
    {
        var config = reference.Config;
        var values = new float[tensor.Elements];
        reference.Weights.Read(tensor.Name, 0, values);
        // Of the weights that the graph wants [out, in], GPT-2 publishes some turned; GGUF stores them as the graph wants them.
        var published = reference.Weights.Find(tensor.Name)!;
        if (architecture == "gpt2" && reference.Architecture.IsTurned(tensor.Name))
        {
            var (rows, columns) = (published.Shape[0], published.Shape[1]);
            return ([columns, rows], [.. Enumerable.Range(0, (int)columns).SelectMany(c => Enumerable.Range(0, (int)rows).Select(r => values[(r * columns) + c]))]);
        }

        if (architecture == "llama" && (name.Contains("attn_q.", StringComparison.Ordinal) || name.Contains("attn_k.", StringComparison.Ordinal)))
        {
            // Row j of a head in the file is row (j % 2) * (d / 2) + j / 2 of the published head.
            var d = config.HeadDim;
            return ([.. published.Shape], Rows(values, (int)(tensor.Elements / tensor.Shape[0]), row => (row / d * d) + (row % d % 2 * (d / 2)) + (row % d / 2)));
        }

        if (architecture == "gptneox" && name.Contains("attn_qkv", StringComparison.Ordinal))
        {
            var (d, heads) = (config.HeadDim, config.Heads);
            return ([.. published.Shape], Rows(values, (int)(tensor.Elements / tensor.Shape[0]), row => (row % (heads * d) / d * 3 * d) + (row / (heads * d) * d) + (row % d)));
        }

        return ([.. published.Shape], architecture.StartsWith("gemma", StringComparison.Ordinal) && name.Contains("norm", StringComparison.Ordinal) ? [.. values.Select(v => v + 1)] : values);
    }

    /// <summary>Rows in another order: row i of the result is row <paramref name="source"/>(i).</summary>
    private static float[] Rows(float[] values, int width, Func<int, int> source) =>
        [.. Enumerable.Range(0, values.Length / width).SelectMany(row => values.AsSpan(source(row) * width, width).ToArray())];

    /// <summary>Longest first: a part's name may hold another's.</summary>
    private static readonly (string Published, string Stored)[] Names =
    [
        ("pre_feedforward_layernorm", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm"), ("input_layernorm", "attn_norm"),
        ("block_sparse_moe.gate", "ffn_gate_inp"), ("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("self_attn.qkv_proj", "attn_qkv"),
        ("mlp.gate_up_proj", "ffn_up"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
        ("attn.c_attn", "attn_qkv"), ("attn.c_proj", "attn_output"), ("mlp.c_fc", "ffn_up"), ("mlp.c_proj", "ffn_down"), ("ln_1", "attn_norm"), ("ln_2", "ffn_norm"),
        ("attention.query_key_value", "attn_qkv"), ("attention.dense", "attn_output"), ("mlp.dense_h_to_4h", "ffn_up"), ("mlp.dense_4h_to_h", "ffn_down"),
    ];

    private static readonly Dictionary<string, string> Outer = new()
    {
        ["model.embed_tokens"] = "token_embd",
        ["model.norm"] = "output_norm",
        ["lm_head"] = "output",
        ["transformer.wte"] = "token_embd",
        ["transformer.wpe"] = "position_embd",
        ["transformer.ln_f"] = "output_norm",
        ["gpt_neox.embed_in"] = "token_embd",
        ["gpt_neox.final_layer_norm"] = "output_norm",
        ["embed_out"] = "output",
    };

    private static string StoredName(string architecture, string published)
    {
        var end = published.LastIndexOf('.');
        var (stem, kind) = (published[..end], published[(end + 1)..]);
        if (Outer.TryGetValue(stem, out var outer))
        {
            return $"{outer}.{kind}";
        }

        var layer = stem.Split('.').First(part => part.All(char.IsAsciiDigit));
        var inner = stem.Contains(".experts.", StringComparison.Ordinal)
            ? stem[^2..] switch { "w1" => "ffn_gate_exps", "w2" => "ffn_down_exps", _ => "ffn_up_exps" }
            : stem.EndsWith("post_attention_layernorm", StringComparison.Ordinal)
            ? architecture is "gemma2" or "gemma3" ? "post_attention_norm" : "ffn_norm"
            : Names.First(n => stem.EndsWith(n.Published, StringComparison.Ordinal)).Stored;
        return $"blk.{layer}.{inner}.{kind}";
    }
}
