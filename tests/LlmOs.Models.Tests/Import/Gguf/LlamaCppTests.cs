using LlmOs.Formats;
using LlmOs.Formats.Gguf;
using LlmOs.Models.Import.Gguf;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.Gguf;

/// <summary>
/// Tiny random GGUF files of every architecture that is read, imported and run, against the logits that llama.cpp gave for the
/// same files (<c>tests/recorded/gguf</c>). A model that is recorded there is tested without a change here.
/// </summary>
public sealed class LlamaCppTests : IDisposable
{
    /// <summary>Of logits up to 7: llama.cpp computes in f32 here.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>llama.cpp looks GELU up in a table of f16, by the tanh formula whatever the model was trained with.</summary>
    private const double ToleranceOfGelu = 1e-2;

    private static readonly string[] WithGelu = ["gpt2", "gptneox", "gemma", "gemma2", "gemma3", "falcon", "bloom", "mpt", "phi2"];

    private readonly TempFolder _folder = new();

    public static TheoryData<string> All() => RecordedGguf.All();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(All))]
    public void An_imported_file_gives_the_logits_of_llama_cpp_at_once_and_token_by_token(string name)
    {
        var recorded = new RecordedGguf(name);
        var folder = Directory.CreateDirectory(_folder.At("folder")).FullName;
        using (var gguf = GgufFile.Open(recorded.ToGguf().WriteTo(_folder.At("model.gguf"))))
        {
            GgufFolder.Write(gguf, half: false, folder, _ => { }, CancellationToken.None);
        }

        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")), "config.json");
        using var weights = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var architecture = Architectures.Of(json);
        var graph = architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, Directory.CreateDirectory(_folder.At("graph")).FullName, CancellationToken.None);
        using var run = new GraphRun((ServingGraph)graph);

        var worst = 0.0;
        foreach (var (ids, expected) in recorded.Cases)
        {
            worst = Math.Max(worst, ReferenceCase.Difference(expected, [.. run.Forward(ids).SelectMany(row => row)]));
            worst = Math.Max(worst, ReferenceCase.Difference(expected, [.. ids.Index().SelectMany(token => run.Step([token.Item], token.Index, 0)[0])]));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: {worst:E1}");
        Assert.InRange(worst, 0, Array.Exists(WithGelu, name.Split('-')[0].Equals) ? ToleranceOfGelu : Tolerance);
    }

    [Fact]
    public void Every_architecture_that_is_read_is_recorded()
    {
        var recorded = RecordedGguf.All().Select(row => new RecordedGguf(row.Data).Architecture).ToHashSet(StringComparer.Ordinal);

        Assert.All(GgufLayouts.All, layout => Assert.Contains(layout.Architecture, recorded));
    }
}
