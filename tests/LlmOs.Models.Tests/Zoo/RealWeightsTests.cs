using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Formats.Tokenizers;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Tasks;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Published weights, not tiny ones: their recorded vectors and texts, and a figure on labelled data.</summary>
public sealed class RealWeightsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-real-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task MiniLm_gives_the_recorded_vectors_and_cuts_at_its_layouts_limit()
    {
        await using var model = LoadMiniLm();
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "all-minilm-l6-v2", "reference.json")));
        var rows = reference.RootElement.GetProperty("rows").EnumerateArray().ToList();

        var asked = Ask(model);
        Assert.Equal(256, asked.Facts.MaxTokens);
        foreach (var row in rows)
        {
            // The recorder's tokenizer reads "[MASK]" in a text as the special token.
            var input = EncoderInput.Encode(asked, "input", row.GetProperty("text").GetString()!, null, TextCut.Right, parseSpecialTokens: true);
            var vector = (await asked.EmbedAsync([input.Text], Cancel))[0];
            float[] expected = [.. row.GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];

            if (row.TryGetProperty("ids", out var ids))
            {
                Assert.Equal(ReferenceCase.Ints(ids), input.Text.Ids);
            }
            else
            {
                Assert.Equal(ReferenceCase.Ints(row.GetProperty("ids_first16")), input.Text.Ids[..16]);
                Assert.Equal(ReferenceCase.Ints(row.GetProperty("ids_last4")), input.Text.Ids[^4..]);
            }

            Assert.Equal(row.GetProperty("n_tokens_untruncated").GetInt32() - row.GetProperty("n_tokens").GetInt32(), input.Cut);
            Assert.InRange(TensorPrimitives.CosineSimilarity<float>(expected, vector), 0.9999, 1.0001);
        }

        Assert.True(rows.Count >= 10);
    }

    [Fact]
    public async Task MiniLms_nearest_centroids_know_the_intents_of_banking77_as_often_as_recorded()
    {
        await using var model = LoadMiniLm();
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "all-minilm-l6-v2", "reference.json")));
        var recorded = reference.RootElement.GetProperty("retrieval").GetProperty("banking77_train_split").GetProperty("nearest_centroid_first10").GetDouble();
        var classes = JsonSerializer.Deserialize<List<string>>(File.ReadAllText(SharedFolder.Require("data", "banking77", "categories.json")))!;
        var rows = Csv(File.ReadAllText(SharedFolder.Require("data", "banking77", "train.csv"))).Skip(1).Select(r => (Text: r[0], Class: classes.IndexOf(r[1]))).ToList();
        var training = rows.Where((_, i) => i % 5 != 0).GroupBy(r => r.Class).SelectMany(g => g.Take(10)).ToList();
        var validation = rows.Where((_, i) => i % 5 == 0).ToList();

        var centroids = new float[classes.Count][];
        foreach (var group in training.Zip(await Embed(model, training.Select(r => r.Text))).GroupBy(p => p.First.Class))
        {
            var sum = new float[model.Engine.Shape.Hidden];
            foreach (var (_, vector) in group)
            {
                TensorPrimitives.Add(sum, vector, sum);
            }

            SentenceLayout.NormaliseInPlace(sum);
            centroids[group.Key] = sum;
        }

        var right = validation.Zip(await Embed(model, validation.Select(r => r.Text)))
            .Count(p => Enumerable.Range(0, classes.Count).MaxBy(c => TensorPrimitives.Dot<float>(centroids[c], p.Second)) == p.First.Class);

        Assert.InRange((double)right / validation.Count, recorded - 0.005, recorded + 0.005);
    }

    [Fact]
    public async Task MiniLm_finds_the_paper_of_a_summary_as_often_as_recorded()
    {
        await using var model = LoadMiniLm();
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "all-minilm-l6-v2", "reference.json")));
        var recorded = reference.RootElement.GetProperty("retrieval").GetProperty("scitldr_dev").GetProperty("minilm");
        List<string> papers = [], summaries = [];
        foreach (var line in File.ReadLines(SharedFolder.Require("data", "scitldr", "dev.jsonl")))
        {
            using var row = JsonDocument.Parse(line);
            papers.Add(string.Join(' ', row.RootElement.GetProperty("source").EnumerateArray().Select(s => s.GetString())));
            summaries.Add(row.RootElement.GetProperty("target")[0].GetString()!);
        }

        var documents = await Embed(model, papers);
        var ranks = (await Embed(model, summaries)).Select((query, own) =>
        {
            var score = TensorPrimitives.Dot<float>(query, documents[own]);
            return 1 + documents.Where((d, i) => i != own && TensorPrimitives.Dot<float>(query, d) is var other && (other > score || (i < own && other == score))).Count();
        }).ToList();

        Assert.Equal(recorded.GetProperty("queries").GetInt32(), ranks.Count);
        Near("recall_at_1", ranks.Average(r => r <= 1 ? 1.0 : 0));
        Near("recall_at_10", ranks.Average(r => r <= 10 ? 1.0 : 0));
        Near("mrr", ranks.Average(r => 1.0 / r));
        Near("ndcg_at_10", ranks.Average(r => r <= 10 ? 1 / Math.Log2(r + 1) : 0));

        void Near(string figure, double found) => Assert.InRange(found, recorded.GetProperty(figure).GetDouble() - 0.005, recorded.GetProperty(figure).GetDouble() + 0.005);
    }

    [Fact]
    public async Task Grapheme_to_phoneme_bart_spells_the_recorded_words()
    {
        var json = ConfigJson.Parse(File.ReadAllBytes(SharedFolder.Require("models", "g2p-bart-us", "us_bart_config.json")), "config.json");
        var architecture = Architectures.Of(json);
        var config = architecture.ReadConfig(json);
        using var weights = SafetensorsFile.Open(SharedFolder.Require("models", "g2p-bart-us", "us_bart.safetensors"));
        var graph = (ServingGraph)architecture.WriteGraph(config, weights, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "g2p-bart-us", "reference.json")));
        var vectors = reference.RootElement.GetProperty("vectors").EnumerateArray().ToList();

        foreach (var vector in vectors)
        {
            List<int> ids = [config.Seq2Seq!.StartToken];
            var request = new GenerationRequest
            {
                PromptTokens = [config.Seq2Seq.StartToken],
                SourceTokens = ReferenceCase.Ints(vector.GetProperty("input_ids")),
                MaxTokens = 48,
                EndTokens = config.EndTokens,
                Sampling = new SamplingParameters { Temperature = 0 },
            };
            await foreach (var piece in engine.Submit(request).Pieces(Cancel))
            {
                ids.Add(piece.Token);
            }

            Assert.Equal(ReferenceCase.Ints(vector.GetProperty("greedy_ids")), ids);
        }

        Assert.True(vectors.Count >= 5);
    }

    private LoadedEncoder LoadMiniLm()
    {
        var source = SharedFolder.Require("models", "all-minilm-l6-v2");
        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(source, "config.json")), "config.json");
        var architecture = Architectures.Of(json);
        var config = architecture.ReadConfig(json);
        using var weights = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        var graph = (EncoderGraph)architecture.WriteGraph(config, weights, WeightPrecision.F32, _folder, Cancel);
        var layout = SentenceLayoutReader.Read(name => Path.Combine(source, name) is var path && File.Exists(path) ? File.ReadAllBytes(path) : null, _ => null);
        return new LoadedEncoder(
            "minilm:1",
            EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions(), EngineDevice.Cpu, TimeProvider.System),
            TokenizerJson.Load(Path.Combine(source, "tokenizer.json")),
            layout,
            new EncoderLabels([], ScoreFunction.Softmax),
            tokenizerLimit: null);
    }

    private static async Task<IReadOnlyList<float[]>> Embed(LoadedEncoder model, IEnumerable<string> texts)
    {
        var asked = Ask(model);
        EncoderText[] inputs = [.. texts.Select(t => EncoderInput.Encode(asked, "input", t, null, TextCut.Right).Text)];
        return await asked.EmbedAsync(inputs, Cancel);
    }

    private static EncoderModel Ask(LoadedEncoder model) => new(new EncoderRun(model, model.Engine.Enter(EngineCaller.Nobody), held: null, TimeSpan.Zero, _ => Task.CompletedTask), model.Tokenizer);

    /// <summary>Rows of a CSV file whose fields may be quoted and hold line breaks.</summary>
    private static List<List<string>> Csv(string text)
    {
        List<List<string>> rows = [[]];
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '"')
            {
                if (quoted && i + 1 < text.Length && text[i + 1] == '"')
                {
                    field.Append('"');
                    i++;
                }
                else
                {
                    quoted = !quoted;
                }
            }
            else if (!quoted && (c == ',' || c == '\n'))
            {
                rows[^1].Add(field.ToString());
                field.Clear();
                if (c == '\n')
                {
                    rows.Add([]);
                }
            }
            else if (c != '\r')
            {
                field.Append(c);
            }
        }

        return [.. rows.Where(r => r.Count >= 2)];
    }
}
