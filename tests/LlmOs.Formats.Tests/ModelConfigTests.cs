using System.Text;
using System.Text.Json.Nodes;
using LlmOs.Testing;

namespace LlmOs.Formats.Tests;

public class ModelConfigTests
{
    private const string Smallest = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":64,"intermediate_size":112,
         "num_hidden_layers":2,"num_attention_heads":4,"vocab_size":384}
        """;

    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("llama-rope3-tied")]
    public void Both_spellings_of_a_published_model_mean_the_same(string model)
    {
        var newer = Read(File.ReadAllText(SharedFolder.Require("models", "hf-tiny", model, "config.json")));
        var older = Read(File.ReadAllText(SharedFolder.Require("models", "hf-tiny", model, "config.v4.json")));

        Assert.Equal(newer with { EndTokens = [] }, older with { EndTokens = [] });
        Assert.Equal(newer.EndTokens, older.EndTokens);
    }

    [Fact]
    public void What_is_left_out_takes_the_published_defaults()
    {
        var config = Read(Smallest);

        Assert.Equal((4, 16, 2048, 1e-6), (config.KvHeads, config.HeadDim, config.ContextLength, config.NormEpsilon));
        Assert.Equal(new RopeConfig { Type = RopeType.Default, Theta = 10_000 }, config.Rope);
        Assert.False(config.TiedEmbeddings || config.AttentionBias || config.MlpBias);
        Assert.Empty(config.EndTokens);
        Assert.Null(config.BeginToken);
    }

    [Fact]
    public void Scalings_are_read_in_the_old_and_the_new_spelling()
    {
        var old = Read(With("rope_theta", "500000.0", "rope_scaling", """{"type":"linear","factor":2.0}"""));
        var current = Read(With("rope_parameters", """{"rope_type":"linear","rope_theta":500000.0,"factor":2.0}"""));

        Assert.Equal(new RopeConfig { Type = RopeType.Linear, Theta = 500_000, Factor = 2 }, old.Rope);
        Assert.Equal(old.Rope, current.Rope);
    }

    [Theory]
    [InlineData("2", new[] { 2 })]
    [InlineData("[2, 7]", new[] { 2, 7 })]
    [InlineData("null", new int[0])]
    public void End_tokens_are_one_a_list_or_none(string json, int[] expected) =>
        Assert.Equal(expected, Read(With("eos_token_id", json)).EndTokens);

    [Fact]
    public void The_generation_config_has_the_last_word_on_end_tokens()
    {
        var model = Read(With("eos_token_id", "2"));

        Assert.Equal([5, 6], GenerationConfig.EndTokensOf(model, GenerationConfig.Read(Parse("""{"eos_token_id":[5,6]}"""))));
        Assert.Equal([2], GenerationConfig.EndTokensOf(model, GenerationConfig.Read(Parse("{}"))));
        Assert.Equal([2], GenerationConfig.EndTokensOf(model, null));
    }

    [Theory]
    [InlineData("hidden_act", "\"mish\"")]
    [InlineData("sliding_window", "4096")]
    [InlineData("use_sliding_window", "true")]
    [InlineData("rope_interleaved", "true")]
    [InlineData("partial_rotary_factor", "0.5")]
    [InlineData("attn_logit_softcapping", "50.0")]
    [InlineData("logits_scaling", "8.0")]
    [InlineData("embedding_multiplier", "12.0")]
    [InlineData("num_local_experts", "8")]
    [InlineData("quantization_config", """{"quant_method":"gptq"}""")]
    [InlineData("layer_types", """["full_attention","sliding_attention"]""")]
    [InlineData("rope_scaling", """{"type":"proportional","factor":2.0}""")]
    [InlineData("rope_parameters", """{"rope_type":"default","rope_theta":10000.0,"partial_rotary_factor":0.5}""")]
    public void An_option_that_changes_numbers_and_is_not_implemented_is_refused_by_name(string option, string value)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(With(option, value)));

        Assert.Equal(ModelFormatProblem.UnsupportedArchitecture, refusal.Problem);
        Assert.Contains(option, refusal.Message);
        Assert.Contains("supported", refusal.Message);
    }

    [Theory]
    [InlineData("hidden_act", "\"silu\"")]
    [InlineData("sliding_window", "null")]
    [InlineData("rope_interleaved", "false")]
    [InlineData("rope_scaling", "null")]
    [InlineData("pretraining_tp", "2")]
    [InlineData("layer_types", """["full_attention","full_attention"]""")]
    [InlineData("anything_else", """{"a":[1]}""")]
    [InlineData("pad_token_id", "-1")]
    public void Options_that_change_nothing_are_accepted(string option, string value) =>
        Assert.Null(Read(With(option, value)).PadToken);

    [Theory]
    [InlineData("hidden_size", "0")]
    [InlineData("hidden_size", "-64")]
    [InlineData("hidden_size", "64.5")]
    [InlineData("hidden_size", "\"64\"")]
    [InlineData("hidden_size", "1000000000000")]
    [InlineData("hidden_size", "null")]
    [InlineData("num_key_value_heads", "3")]
    [InlineData("head_dim", "15")]
    [InlineData("num_attention_heads", "5")]
    [InlineData("rms_norm_eps", "1e308")]
    [InlineData("rms_norm_eps", "1e999")]
    [InlineData("tie_word_embeddings", "1")]
    [InlineData("eos_token_id", "[-1]")]
    [InlineData("eos_token_id", "{}")]
    [InlineData("rope_theta", "0")]
    [InlineData("rope_scaling", "5")]
    [InlineData("rope_scaling", """{"rope_type":"llama3","factor":8.0}""")]
    [InlineData("rope_scaling", """{"rope_type":"linear","factor":0}""")]
    [InlineData("max_position_embeddings", "2147483647")]
    public void A_number_that_cannot_be_is_refused_by_name(string option, string value)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(With(option, value)));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
        Assert.Contains(option is "rope_scaling" ? "rope_scaling" : option, refusal.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("\uFEFF{}")]
    public void A_file_that_is_not_one_json_object_is_corrupt(string json) =>
        Assert.Equal(ModelFormatProblem.CorruptFile, Assert.Throws<ModelFormatException>(() => Read(json)).Problem);

    private static string With(params string[] pairs)
    {
        var config = JsonNode.Parse(Smallest)!;
        for (var i = 0; i < pairs.Length; i += 2)
        {
            config[pairs[i]] = "\u0001" + pairs[i + 1];
        }

        // Values go in as they are written, numbers beyond a double included.
        var text = config.ToJsonString();
        for (var i = 0; i < pairs.Length; i += 2)
        {
            var placeholder = JsonValue.Create("\u0001" + pairs[i + 1]).ToJsonString();
            text = text.Replace(placeholder, pairs[i + 1]);
        }

        return text;
    }

    private static ModelConfig Read(string json) => ModelConfig.Read(Parse(json));

    private static ConfigJson Parse(string json) => ConfigJson.Parse(Encoding.UTF8.GetBytes(json), "config.json");
}
