using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Generation;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Every recorded generation of <c>hf-tiny</c>: greedy and by beams, alone and in batches, with every rule that was recorded,
/// on decoders and encoder-decoders. All rows of a model run in the engine at the same time.
/// </summary>
public sealed class GenerationReferenceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-generate-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Generators() => [.. ReferenceFolders.Of<DecoderArchitecture>().Concat(ReferenceFolders.Of<Seq2SeqArchitecture>()).Distinct()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Generators))]
    public async Task Ids_are_equal_and_scores_and_log_probabilities_within_a_thousandth(string model)
    {
        using var reference = new ReferenceModel(model);
        var config = reference.Architecture.Settle(reference.Config, reference.Weights);
        var graph = (ServingGraph)reference.Architecture.WriteGraph(config, reference.Weights, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 8, Threads = 1, PrefillChunk = 32 }, EngineDevice.Cpu, TimeProvider.System);
        var generationFile = Path.Combine(reference.Folder, "generation_config.json");
        var defaults = GenerateArguments.Read(Parse(File.ReadAllBytes(generationFile)));

        var failures = await Task.WhenAll(reference.Cases("generate").SelectMany(test => Rows(test, config, defaults))
            .Select(async row => await Compare(engine, row)));

        Assert.True(failures.Length >= 20, $"Only {failures.Length} rows were compared.");
        Assert.True(failures.All(f => f is null), string.Join('\n', failures.OfType<string>()));
    }

    private static IEnumerable<Row> Rows(ReferenceCase test, ModelConfig config, GenerateArguments defaults)
    {
        var settings = defaults.Overlay(GenerateArguments.Read(Parse(JsonSerializer.SerializeToUtf8Bytes(test.Json.GetProperty("generation")))));
        var inputs = test.Rows("input_ids");
        var newIds = test.Json.GetProperty("new_ids").EnumerateArray().Select(ReferenceCase.Ints).ToArray();
        var scores = test.Json.TryGetProperty("sequences_scores", out var all) ? all.EnumerateArray().Select(s => s.GetDouble()).ToArray() : null;
        var each = newIds.Length / inputs.Length;
        for (var i = 0; i < inputs.Length; i++)
        {
            int[] start = config.Seq2Seq is null ? inputs[i]
                : test.Json.TryGetProperty("decoder_input_ids", out var prefix) ? ReferenceCase.Ints(prefix[i])
                : [settings.DecoderStartTokenId ?? config.Seq2Seq.StartToken];
            var request = settings.ToRequest(start, config.Seq2Seq is null ? [] : inputs[i], config.EndTokens);
            yield return new Row(
                $"{test.Name}[{i}]",
                request with { TopLogprobs = 0 },
                newIds[(i * each)..((i + 1) * each)],
                scores?[(i * each)..((i + 1) * each)],
                each == 1 ? test.Tensor($"logprobs{i}") : null);
        }
    }

    private static async Task<string?> Compare(InferenceEngine engine, Row row)
    {
        IReadOnlyList<BeamText> texts;
        if (row.Request.Beams is not null)
        {
            texts = (await engine.BeamSearchAsync(row.Request, Cancel)).Texts;
        }
        else
        {
            List<GenerationPiece> pieces = [];
            await foreach (var piece in engine.Submit(row.Request).Pieces(Cancel))
            {
                pieces.Add(piece);
            }

            texts = [new BeamText(pieces, 0)];
        }

        for (var i = 0; i < row.NewIds.Length; i++)
        {
            var ids = texts[i].Pieces.Select(p => p.Token).ToArray();
            if (!ids.SequenceEqual(row.NewIds[i]))
            {
                return $"{row.Name}: expected {string.Join(' ', row.NewIds[i])}, got {string.Join(' ', ids)}";
            }

            if (row.Scores is { } scores && Math.Abs(scores[i] - texts[i].Score) > 1e-3 * Math.Max(1, Math.Abs(scores[i])))
            {
                return $"{row.Name}: expected the score {scores[i]}, got {texts[i].Score}";
            }

            // Recorded: the log-softmax of the raw logits at each new token, a row of the vocabulary each.
            if (row.Logprobs is { } all && all.Length % ids.Length == 0)
            {
                var width = all.Length / ids.Length;
                var worst = ids.Select((id, at) => width == 1 ? all[at] - texts[i].Pieces[at].Logprob!.Value : all[(at * width) + id] - texts[i].Pieces[at].Logprob!.Value).Max(Math.Abs);
                if (worst > 1e-3)
                {
                    return $"{row.Name}: a log-probability is {worst} off";
                }
            }
        }

        return null;
    }

    private static ConfigJson Parse(byte[] json) => ConfigJson.Parse(json, "generation_config.json");

    private sealed record Row(string Name, GenerationRequest Request, int[][] NewIds, double[]? Scores, float[]? Logprobs);
}
