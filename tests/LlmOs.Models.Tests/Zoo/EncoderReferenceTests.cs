using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Engine.Execution;
using LlmOs.Models.Loading;
using LlmOs.Models.Zoo;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Every encoder of <c>hf-tiny</c> against what transformers computed with the same weights: alone and in padded batches.
/// An encoder that is added to the folder and supported is tested without a change here.
/// </summary>
public sealed class EncoderReferenceTests : IDisposable
{
    private const double Tolerance = 1e-3;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-encoder-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Encoders() => [.. ReferenceFolders.Of<EncoderArchitecture>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task Outputs_are_the_recorded_ones_alone_and_in_padded_batches(string model)
    {
        using var reference = new ReferenceModel(model);
        await using var engine = Load((EncoderGraph)reference.Architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, Cancel));

        var compared = 0;
        foreach (var test in reference.Cases("encode").Concat(reference.Cases("encode-batch")))
        {
            foreach (var role in test.Roles.Where(r => r is not ("hidden_states" or "loss")))
            {
                foreach (var (expected, actual) in await Outputs(engine, test, role))
                {
                    Assert.InRange(ReferenceCase.Difference(expected, actual), 0, Tolerance);
                    compared++;
                }
            }
        }

        Assert.True(compared >= 8, $"Only {compared} outputs were compared.");
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public void Hidden_states_are_the_recorded_ones(string model)
    {
        using var reference = new ReferenceModel(model);
        var graph = ((EncoderArchitecture)reference.Architecture).WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, withStates: true, Cancel);
        using var session = new InferenceSession(graph.OnnxPath);
        using var options = new RunOptions();

        foreach (var test in reference.Cases("encode").Where(c => c.Roles.Contains("hidden_states")))
        {
            var ids = test.Rows("input_ids")[0];
            var expected = test.Tensor("hidden_states")!;
            Dictionary<string, OrtValue> inputs = new()
            {
                [EncoderNames.InputIds] = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(ids, i => (long)i), [1, ids.Length]),
                [EncoderNames.Lengths] = OrtValue.CreateTensorValueFromMemory(new[] { ids.Length }, [1]),
                [EncoderNames.TokenTypes] = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], [1, ids.Length]),
                [EncoderNames.LogitRows] = OrtValue.CreateTensorValueFromMemory(Array.Empty<long>(), [0]),
            };
            var names = Enumerable.Range(0, reference.Config.Layers + 1).Select(EncoderNames.HiddenState).ToArray();
            using var results = session.Run(options, inputs.Where(p => session.InputMetadata.ContainsKey(p.Key)).ToDictionary(), names);
            Assert.InRange(ReferenceCase.Difference(expected, [.. results.SelectMany(r => r.GetTensorDataAsSpan<float>().ToArray())]), 0, Tolerance);
            inputs.Values.ToList().ForEach(v => v.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task In_a_batch_with_others_a_text_has_the_numbers_it_has_alone_to_the_last_bit(string model)
    {
        using var reference = new ReferenceModel(model);
        await using var engine = Load((EncoderGraph)reference.Architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, Cancel));
        var wanted = engine.Shape.Head is EncoderHead.None or EncoderHead.Tokens ? EncoderOutput.States : EncoderOutput.Logits;
        EncoderText[] texts = [.. reference.Cases("encode").SelectMany(Texts), .. reference.Cases("encode-batch").SelectMany(Texts)];

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

    private static EncoderEngine Load(EncoderGraph graph) =>
        EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);

    private static EncoderText[] Texts(ReferenceCase test)
    {
        var rows = test.Rows("input_ids");
        return [.. rows.Select((ids, i) => new EncoderText(ids, test.Json.TryGetProperty("token_type_ids", out var types) ? ReferenceCase.Ints(types[i])[..ids.Length] : null))];
    }

    /// <summary>The recorded and the computed values of a role, text by text, without padding.</summary>
    internal static async Task<IEnumerable<(float[] Expected, float[] Actual)>> Outputs(EncoderEngine engine, ReferenceCase test, string role)
    {
        var texts = Texts(test);
        var all = test.Tensor(role)!;
        switch (role)
        {
            case "pooler_output":
                return PerText(all, await engine.RunAsync(texts, EncoderOutput.Pooled, Cancel));
            case "mean_pooled" or "mean_pooled_normalized":
                var layout = role == "mean_pooled_normalized" ? SentenceLayout.Plain : SentenceLayout.Plain with { Steps = [] };
                var states = await engine.RunAsync(texts, EncoderOutput.States, Cancel);
                return PerText(all, [.. states.Select(s => layout.Pool(s, engine.Shape.Hidden))]);
            case "last_hidden_state":
                return PerToken(all, texts, engine.Shape.Hidden, await engine.RunAsync(texts, EncoderOutput.States, Cancel));
            case "start_logits" or "end_logits":
                var spans = await engine.RunAsync(texts, EncoderOutput.Logits, Cancel);
                return PerToken(all, texts, 1, [.. spans.Select(s => s.Where((_, i) => i % 2 == (role == "start_logits" ? 0 : 1)).ToArray())]);
            case "mask_logits":
                var place = test.Json.GetProperty("mask_position").GetInt32();
                return [(all, (await engine.RunAsync([texts[0] with { Places = [place] }], EncoderOutput.Logits, Cancel))[0])];
            case "logits" or "logits_first8" when engine.Shape.Head == EncoderHead.Tokens:
                var places = Enumerable.Range(0, role == "logits" ? int.MaxValue : 8);
                EncoderText[] asked = [.. texts.Select(t => t with { Places = [.. places.TakeWhile(p => p < t.Ids.Length)] })];
                var scores = await engine.RunAsync(asked, EncoderOutput.Logits, Cancel);
                return all.Chunk(all.Length / texts.Length).Select((row, i) => row[..scores[i].Length]).Zip(scores);
            case "logits" when engine.Shape.Head == EncoderHead.TokenLabels:
                return PerToken(all, texts, engine.Shape.Labels, await engine.RunAsync(texts, EncoderOutput.Logits, Cancel));
            case "logits":
                return PerText(all, await engine.RunAsync(texts, EncoderOutput.Logits, Cancel));
            default:
                throw new JsonException($"The case {test.Name} has an output '{role}' that this test does not know.");
        }
    }

    private static IEnumerable<(float[], float[])> PerText(float[] all, float[][] actual) =>
        all.Chunk(all.Length / actual.Length).Zip(actual);

    private static IEnumerable<(float[], float[])> PerToken(float[] all, EncoderText[] texts, int width, float[][] actual) =>
        all.Chunk(all.Length / texts.Length).Select((row, i) => row[..(texts[i].Ids.Length * width)]).Zip(actual);
}
