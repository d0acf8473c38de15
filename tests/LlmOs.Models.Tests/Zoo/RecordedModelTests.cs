using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// The tiny models of <c>tests/recorded</c> against the outputs of transformers 5 that were recorded for them. A model that is
/// recorded there is tested without a change here, and needs nothing that a clone does not carry.
/// </summary>
public sealed class RecordedModelTests : IDisposable
{
    private const double Tolerance = 1e-4;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-recorded-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> All() => RecordedModel.Of<Architecture>();

    public static TheoryData<string> Encoders() => RecordedModel.Of<EncoderArchitecture>();

    public static TheoryData<string> Decoders() => RecordedModel.Of<DecoderArchitecture>();

    public static TheoryData<string> EncoderDecoders() => RecordedModel.Of<Seq2SeqArchitecture>();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(All))]
    public void Its_weights_are_those_that_transformers_stores(string name)
    {
        var model = new RecordedModel(name);

        Assert.Equal(
            model.Architecture.Named(model).Tensors.Select(t => $"{t.Name} {t.ShapeText}").Order(StringComparer.Ordinal),
            model.Architecture.Weights(model.Config).Select(t => $"{t.Name} {t.ShapeText}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("electra-model", "position_embedding_type", "\"relative_key\"")]
    [InlineData("mpnet-model", "relative_attention_num_buckets", "16")]
    [InlineData("smollm3", "layer_types", "[\"full_attention\", \"full_attention\", \"full_attention\", \"chunked_attention\"]")]
    [InlineData("mpt", "no_bias", "false")]
    [InlineData("mpt", "attn_config", "{\"alibi\": true, \"alibi_bias_max\": 4}")]
    [InlineData("mpt", "logit_scale", "\"inv_sqrt_d_model\"")]
    [InlineData("mpt", "attn_config", "{\"alibi\": false}")]
    [InlineData("mpt", "attn_config", "{\"alibi\": true, \"clip_qkv\": 6}")]
    [InlineData("mpt", "attn_config", "{\"alibi\": true, \"qk_ln\": true}")]
    [InlineData("falcon-one-key", "alibi", "true")]
    [InlineData("falcon-groups", "parallel_attn", "false")]
    [InlineData("bloom-4-heads", "apply_residual_connection_post_layernorm", "true")]
    [InlineData("opt", "enable_bias", "false")]
    [InlineData("opt", "layer_norm_elementwise_affine", "false")]
    [InlineData("granite", "clip_qkv", "8")]
    [InlineData("modernbert-text-labels", "classifier_pooling", "\"max\"")]
    [InlineData("modernbert-model", "global_attn_every_n_layers", "2")]
    [InlineData("deberta-model", "talking_head", "true")]
    [InlineData("deberta-model", "position_buckets", "256")]
    [InlineData("deberta-v2-model", "pos_att_type", "\"c2p|p2p\"")]
    [InlineData("deberta-v2-model", "norm_rel_ebd", "\"batch_norm\"")]
    [InlineData("deberta-v2-conv-text-labels", "conv_groups", "2")]
    [InlineData("deberta-v2-conv-text-labels", "attention_head_size", "4")]
    [InlineData("pegasus", "activation_function", "\"mish\"")]
    [InlineData("m2m-100", "share_encoder_decoder_embeddings", "false")]
    public void An_option_that_is_not_implemented_is_refused_by_its_name(string name, string option, string value)
    {
        var model = new RecordedModel(name);

        var refusal = Assert.Throws<ModelFormatException>(() => model.Architecture.ReadConfig(model.ConfigWith(option, value)));

        Assert.Contains(option, refusal.Message);
        Assert.Equal(ModelFormatProblem.UnsupportedArchitecture, refusal.Problem);
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task An_encoder_gives_the_recorded_outputs(string name)
    {
        var model = new RecordedModel(name);
        await using var engine = Load(model);

        foreach (var test in model.Cases)
        {
            foreach (var (role, output) in new[] { ("states", EncoderOutput.States), ("pooled", EncoderOutput.Pooled), ("sentence", EncoderOutput.Sentence), ("logits", EncoderOutput.Logits) })
            {
                if (RecordedModel.Values(test, role) is { } expected)
                {
                    AssertNear(expected, (await engine.RunAsync([Text(engine, test)], output, Cancel))[0]);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task In_a_batch_with_others_a_text_has_the_numbers_it_has_alone_to_the_last_bit(string name)
    {
        var model = new RecordedModel(name);
        await using var engine = Load(model);
        EncoderText[] texts = [.. model.Cases.Select(test => Text(engine, test))];
        var wanted = engine.Shape.SentenceWidth > 0 ? EncoderOutput.Sentence : engine.Shape.Head == EncoderHead.None ? EncoderOutput.States : EncoderOutput.Logits;

        List<float[]> alone = [];
        foreach (var text in texts)
        {
            alone.Add((await engine.RunAsync([text], wanted, Cancel))[0]);
        }

        var together = await engine.RunAsync([.. texts, .. texts, .. texts], wanted, Cancel);

        for (var i = 0; i < together.Length; i++)
        {
            Assert.Equal(alone[i % texts.Length], together[i]); // equal, not close
        }
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_decoder_gives_the_recorded_logits_at_once_and_token_by_token(string name)
    {
        var model = new RecordedModel(name);
        using var run = new GraphRun((ServingGraph)model.Architecture.WriteGraph(model.Config, model, WeightPrecision.F32, _folder, Cancel));

        foreach (var test in model.Cases)
        {
            var (ids, expected) = (RecordedModel.Ids(test, "ids"), RecordedModel.Values(test, "logits")!);
            AssertNear(expected, [.. run.Forward(ids).SelectMany(row => row)]);
            AssertNear(expected, [.. ids.Index().SelectMany(token => run.Step([token.Item], token.Index, 0)[0])]);
        }
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public async Task A_decoder_in_a_batch_gives_what_each_text_gives_alone_to_the_last_bit(string name)
    {
        var model = new RecordedModel(name);
        var graph = (ServingGraph)model.Architecture.WriteGraph(model.Config, model, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 1, PrefillChunk = 16 }, EngineDevice.Cpu, TimeProvider.System);
        int[][] prompts = [.. model.Cases.Select(test => RecordedModel.Ids(test, "ids"))];

        List<List<GenerationPiece>> alone = [];
        foreach (var prompt in prompts)
        {
            alone.Add(await Generate(engine, prompt));
        }

        var together = await Task.WhenAll(prompts.Select(prompt => Generate(engine, prompt)));

        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(alone[i].Select(piece => piece.Token), together[i].Select(piece => piece.Token));
            Assert.Equal(alone[i].SelectMany(piece => piece.TopLogprobs), together[i].SelectMany(piece => piece.TopLogprobs)); // equal, not close
        }
    }

    [Theory]
    [MemberData(nameof(EncoderDecoders))]
    public async Task An_encoder_decoder_gives_the_recorded_logits(string name)
    {
        var model = new RecordedModel(name);
        var graph = (ServingGraph)model.Architecture.WriteGraph(model.Config, model, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 2, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);

        foreach (var test in model.Cases)
        {
            AssertNear(RecordedModel.Values(test, "logits")!, await engine.LogitsAsync(RecordedModel.Ids(test, "ids"), RecordedModel.Ids(test, "source"), Cancel));
        }
    }

    private static async Task<List<GenerationPiece>> Generate(InferenceEngine engine, int[] prompt)
    {
        List<GenerationPiece> pieces = [];
        await foreach (var piece in engine.Submit(new GenerationRequest { PromptTokens = prompt, MaxTokens = 16, TopLogprobs = 5, Sampling = new() { Temperature = 0 } }).Pieces(Cancel))
        {
            pieces.Add(piece);
        }

        return pieces;
    }

    private EncoderEngine Load(RecordedModel model)
    {
        var graph = (EncoderGraph)model.Architecture.WriteGraph(model.Config, model, WeightPrecision.F32, _folder, Cancel);
        return EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
    }

    private static EncoderText Text(EncoderEngine engine, JsonElement test)
    {
        var ids = RecordedModel.Ids(test, "ids");
        var text = new EncoderText(ids, test.TryGetProperty("types", out var types) ? ReferenceCase.Ints(types) : null);
        return engine.Shape.Head == EncoderHead.Tokens ? text with { Places = [.. Enumerable.Range(0, ids.Length)] } : text;
    }

    private static void AssertNear(float[] expected, float[] actual) => Assert.InRange(ReferenceCase.Difference(expected, actual), 0, Tolerance);
}
