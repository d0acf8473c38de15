using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Generation;

/// <summary>
/// Every recorded generation of <c>hf-tiny</c> by the way that the pipelines take: imported, with the rules and beams of the model's own
/// generation_config.json where a row states none.
/// </summary>
public sealed class PipelineReferenceTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Generators() => GenerationReferenceTests.Generators();

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Generators))]
    public async Task Ids_and_scores_are_the_recorded_ones(string model)
    {
        using var reference = new ReferenceModel(model);
        var folder = Path.Combine(_world.Folder.Import, model);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(SharedFolder.Require("models", "hf-tiny", model)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        await _world.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });
        var servable = await _world.Get<ModelCatalogue>().FindAsync("m", Cancel);
        // A decoder's prefix has no argument of its own in any pipeline.
        var cases = reference.Cases("generate").Where(test => !test.Json.TryGetProperty("decoder_input_ids", out _)).ToList();

        var faults = new List<string>();
        var rows = 0;
        foreach (var test in cases)
        {
            var inputs = test.Rows("input_ids");
            var expected = test.Json.GetProperty("new_ids").EnumerateArray().Select(ReferenceCase.Ints).ToArray();
            var stated = GenerateArguments.Read(ConfigJson.Parse(JsonSerializer.SerializeToUtf8Bytes(test.Json.GetProperty("generation")), "generation"));
            var choices = expected.Length / inputs.Length;
            await using var run = await _world.Get<IGenerationService>().WriteAsync(Order(servable, inputs, stated, choices, reference.Config.Seq2Seq is not null), new GenerationCaller(), Cancel);
            var ids = Enumerable.Range(0, expected.Length).Select(_ => new List<int>()).ToArray();
            var scores = new double?[expected.Length];
            await foreach (var piece in run.Pieces(Cancel))
            {
                ids[piece.Index].Add(piece.Token);
                scores[piece.Index] = piece.Score ?? scores[piece.Index];
            }

            rows += expected.Length;
            for (var i = 0; i < expected.Length; i++)
            {
                if (!ids[i].SequenceEqual(expected[i]))
                {
                    faults.Add($"{test.Name}[{i}]: expected {string.Join(' ', expected[i])}, got {string.Join(' ', ids[i])}");
                }
                else if (test.Json.TryGetProperty("sequences_scores", out var all) && !(Math.Abs(all[i].GetDouble() - scores[i]!.Value) <= 1e-3 * Math.Max(1, Math.Abs(all[i].GetDouble()))))
                {
                    faults.Add($"{test.Name}[{i}]: expected the score {all[i]}, got {scores[i]}");
                }
            }
        }

        Assert.True(rows >= 20, $"Only {rows} rows were compared.");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    private static GenerationOrder Order(ServableModel model, int[][] inputs, GenerateArguments stated, int choices, bool isSeq2Seq) => new()
    {
        Model = model,
        Operation = "text-generation",
        Field = "inputs",
        Prompts = [.. inputs.Select(ids => new GenerationPrompt { Ids = ids })],
        Choices = choices,
        Stated = isSeq2Seq ? null : stated,
        Seq2Seq = isSeq2Seq ? new Seq2SeqOrder("text2text-generation", stated, null, null, Truncation.None) : null,
    };
}
