using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import.Pull;

namespace LlmOs.Models.Tests.Import.Pull;

public sealed class PullPlanTests
{
    [Fact]
    public void Of_the_same_weights_in_several_forms_one_is_taken()
    {
        var plan = Plan("config.json", "model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "model-q4.gguf", "onnx/model.onnx", "tokenizer.json", "notes.txt", ".gitattributes");

        Assert.Equal(["model.safetensors"], plan.Weights.Select(f => f.Path));
        Assert.Equal(["config.json", "tokenizer.json"], plan.Texts.Select(f => f.Path));
    }

    [Fact]
    public void Shards_come_with_their_index()
    {
        var plan = Plan("config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json");

        Assert.Equal(["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], plan.Weights.Select(f => f.Path));
    }

    [Fact]
    public void A_graph_is_taken_with_its_weights_where_there_is_nothing_else()
    {
        var plan = Plan("config.json", "onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_quantized.onnx", "tokenizer.json", "pytorch_model.bin");

        Assert.Equal(["onnx/model.onnx", "onnx/model.onnx_data"], plan.Weights.Select(f => f.Path));
        Assert.Equal(["config.json", "tokenizer.json"], plan.Texts.Select(f => f.Path));
    }

    [Fact]
    public void The_modules_of_a_sentence_model_come_along() =>
        Assert.Contains("1_Pooling/config.json", Plan("config.json", "model.safetensors", "modules.json", "1_Pooling/config.json").Texts.Select(f => f.Path));

    [Fact]
    public void The_only_gguf_is_the_model_and_a_split_one_comes_whole()
    {
        Assert.Equal("m.gguf", Plan("m.gguf", "README.md").Single);

        var split = Plan("m-00001-of-00002.gguf", "m-00002-of-00002.gguf");
        Assert.Equal("m-00001-of-00002.gguf", split.Single);
        Assert.Equal(2, split.Weights.Count);
    }

    [Fact]
    public void Of_several_ggufs_the_caller_chooses()
    {
        var refusal = Assert.Throws<LlmOsException>(() => Plan("m-Q4_0.gguf", "m-Q8_0.gguf"));
        var chosen = PullPlan.Of([File("m-Q4_0.gguf"), File("m-Q8_0.gguf")], "m-Q8_0.gguf");

        Assert.Equal(ErrorCode.UnsupportedFormat, refusal.Code);
        Assert.Contains("m-Q4_0.gguf, m-Q8_0.gguf", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("#m-Q4_0.gguf", refusal.Hint, StringComparison.Ordinal);
        Assert.Equal(["m-Q8_0.gguf"], chosen.Weights.Select(f => f.Path));
    }

    [Theory]
    [InlineData("../m.gguf")]
    [InlineData("/etc/m.gguf")]
    [InlineData("a\\b.gguf")]
    public void A_path_that_leads_elsewhere_is_never_taken(string path) => Assert.Throws<LlmOsException>(() => Plan(path));

    [Theory]
    [InlineData("hf:org/name", "org/name", "main", null)]
    [InlineData("hf:org/name@v1.0", "org/name", "v1.0", null)]
    [InlineData("hf:org/name@refs/pr/1#sub/m.gguf", "org/name", "refs/pr/1", "sub/m.gguf")]
    public void A_source_names_repository_revision_and_file(string source, string repository, string revision, string? file) =>
        Assert.Equal(new HubReference(repository, revision, file), HubReference.Parse(source));

    [Theory]
    [InlineData("hf:name")]
    [InlineData("hf:org/name/more")]
    [InlineData("hf:org/../name")]
    [InlineData("hf:org/name@")]
    [InlineData("hf:org/name@a b")]
    [InlineData("hf:org/name@main?x=1")]
    public void What_names_no_repository_is_refused(string source) => Assert.Equal("source", Assert.Throws<LlmOsException>(() => HubReference.Parse(source)).Field);

    [Fact]
    public void A_model_that_memory_cannot_hold_is_refused_with_need_and_have()
    {
        var needs = PullNeeds.Of(2_000_000_000, "bfloat16", "f32"); // a billion weights

        Assert.Equal(4_000_000_000, needs.Memory);
        var refusal = Assert.Throws<LlmOsException>(() => needs.RequireMemory(3_000_000_000));
        Assert.Equal(ErrorCode.OutOfMemory, refusal.Code);
        Assert.Contains("4 GB", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("3 GB", refusal.Message, StringComparison.Ordinal);
    }

    private static PullPlan Plan(params string[] paths) => PullPlan.Of([.. paths.Select(File)], null);

    private static HubFile File(string path) => new(path, 10, null, null);
}
