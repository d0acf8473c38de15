using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Two projects ask each real graph for everything at once: greedy and drawn replies, beams and scores, of random lengths, with
/// shared beginnings, slow readers and callers who leave. Each gets the ids that it gets alone.
/// </summary>
public sealed class RandomMixTests : IDisposable
{
    private const int Slots = 6;
    private const int Jobs = 60;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-mix-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, WeightPrecision> Models()
    {
        var data = new TheoryData<string, WeightPrecision>();
        foreach (var model in ReferenceFolders.Of<DecoderArchitecture>().Concat(ReferenceFolders.Of<Seq2SeqArchitecture>()).Distinct())
        {
            data.Add(model, WeightPrecision.F32);
#if LONG_TESTS
            data.Add(model, WeightPrecision.EightBit);
            data.Add(model, WeightPrecision.FourBit);
#else
            if (model == "phi3-fused")
            {
                data.Add(model, WeightPrecision.FourBit); // three blocks a row are the fewest whose sum depends on its order
            }
#endif
        }

        return data;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Each_gets_the_ids_that_it_gets_alone(string model, WeightPrecision precision)
    {
        using var reference = new ReferenceModel(model);
        var config = reference.Architecture.Settle(reference.Config, reference.Weights);
        var graph = (ServingGraph)reference.Architecture.WriteGraph(config, reference.Weights, precision, _folder, Cancel);
        var options = new EngineOptions { Slots = Slots, Threads = 1, PrefillChunk = 8, PieceBuffer = 4, MaxQueued = 1000, MaxQueuedPerCaller = 1000 };
        await using var alone = InferenceEngine.Load(graph.OnnxPath, graph.Shape, options, EngineDevice.Cpu, TimeProvider.System);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, options, EngineDevice.Cpu, TimeProvider.System);
        var jobs = Make(new Random(20_261_130), graph.Shape.Vocabulary, Math.Min(48, graph.Shape.ContextLength / 3), config.Seq2Seq?.StartToken, config.EndTokens);

        var othersDone = new TaskCompletionSource();
        var together = jobs.ConvertAll(job => RunAsync(engine, job, job.Reads == Reader.Slow ? othersDone.Task : Task.CompletedTask));
        await Task.WhenAll(jobs.Zip(together).Where(pair => pair.First.Reads != Reader.Slow).Select(pair => pair.Second));
        othersDone.SetResult();

        foreach (var (job, answer) in jobs.Zip(together))
        {
            var expected = await RunAsync(alone, job with { Reads = Reader.Whole }, Task.CompletedTask);
            Assert.Equal(job.Reads == Reader.Leaves ? expected.Take((await answer).Count) : expected, await answer);
        }

        // Nobody holds a slot any more: a search that needs all of them ends.
        Assert.Equal(Slots, (await engine.SubmitBeams(jobs[0].Request with { MaxTokens = 2, Beams = new BeamSettings(Slots) }).Result).Texts.Count);
        while (engine.Snapshot() is not { Running: 0, Waiting: 0 })
        {
            await Task.Delay(5, Cancel); // the loop tells its figures after it has told the last caller
        }
    }

    [Theory]
    [InlineData(WeightPrecision.F32)]
    [InlineData(WeightPrecision.EightBit)]
    [InlineData(WeightPrecision.FourBit)]
    public async Task With_company_a_reply_has_the_bits_that_it_has_alone_at_the_widths_of_SmolLM2(WeightPrecision precision)
    {
        var config = new ModelConfig
        {
            ModelType = "llama",
            Architecture = "LlamaForCausalLM",
            Layers = 2,
            Hidden = 576,
            Heads = 9,
            KvHeads = 3,
            HeadDim = 64,
            Intermediate = 1536,
            Vocabulary = 1024,
            ContextLength = 128,
            NormEpsilon = 1e-5,
            Rope = new RopeConfig { Theta = 100_000 },
            TiedEmbeddings = true,
            BeginToken = 1,
            EndTokens = [2],
        };
        var graph = LlamaGraph.Architecture.WriteGraph(config, new RandomWeights(config, seed: 3), precision, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 2, PrefillChunk = 8 }, EngineDevice.Cpu, TimeProvider.System);
        var random = new Random(4);
        var requests = Enumerable.Range(0, 4).Select(_ => new GenerationRequest
        {
            PromptTokens = Tokens(random, config.Vocabulary, 11),
            MaxTokens = 24,
            TopLogprobs = 0,
            Sampling = new SamplingParameters { Temperature = 0 },
        }).ToList();

        List<List<(int, float?)>> alone = [];
        foreach (var request in requests)
        {
            alone.Add(await ScoredAsync(engine, request));
        }

        var together = await Task.WhenAll(requests.Select(request => ScoredAsync(engine, request)));

        Assert.Equal(alone, together);
    }

    private static async Task<List<(int Token, float? Logprob)>> ScoredAsync(InferenceEngine engine, GenerationRequest request)
    {
        List<(int, float?)> pieces = [];
        await foreach (var piece in engine.Submit(request).Pieces(Cancel))
        {
            pieces.Add((piece.Token, piece.Logprob));
        }

        return pieces;
    }

    private static List<Job> Make(Random random, int vocabulary, int longest, int? start, IReadOnlyList<int> ends)
    {
        var openings = Enumerable.Range(0, 3).Select(_ => Tokens(random, vocabulary, random.Next(9, longest))).ToList();
        return
        [
            .. Enumerable.Range(0, Jobs).Select(i =>
            {
                int[] text = [.. openings[random.Next(3)], .. Tokens(random, vocabulary, random.Next(1, longest))];
                var request = new GenerationRequest
                {
                    PromptTokens = start is { } first ? [first] : text,
                    SourceTokens = start is null ? [] : text,
                    MaxTokens = random.Next(1, longest),
                    EndTokens = ends,
                    Sampling = i % 4 == 1 ? new SamplingParameters { Temperature = 0.9, TopK = 20, Seed = i } : new SamplingParameters { Temperature = 0 },
                    Caller = new EngineCaller(i % 2 == 0 ? "a" : "b"),
                };
                return new Job(
                    i % 4 == 2 ? request with { Beams = new BeamSettings(random.Next(2, 5)) } : request,
                    i % 4 == 3,
                    i is 4 or 5 ? Reader.Slow : i % 4 < 2 && random.Next(5) == 0 ? Reader.Leaves : Reader.Whole);
            }),
        ];
    }

    /// <summary>The ids of a reply or of all found texts; of a scoring, the likeliest id of each row.</summary>
    private static async Task<IReadOnlyList<int>> RunAsync(InferenceEngine engine, Job job, Task before)
    {
        if (job.Scores)
        {
            var logits = await engine.LogitsAsync(job.Request.PromptTokens, job.Request.SourceTokens, Cancel);
            return [.. logits.Chunk(engine.Shape.Vocabulary).Select(row => Array.IndexOf(row, row.Max()))];
        }

        if (job.Request.Beams is not null)
        {
            return [.. (await engine.SubmitBeams(job.Request).Result).Texts.SelectMany(text => text.Pieces).Select(piece => piece.Token)];
        }

        List<int> ids = [];
        await foreach (var piece in engine.Submit(job.Request).Pieces(Cancel))
        {
            ids.Add(piece.Token);
            if (job.Reads == Reader.Leaves && ids.Count > job.Request.MaxTokens / 2)
            {
                break;
            }

            await before;
        }

        return ids;
    }

    private static int[] Tokens(Random random, int vocabulary, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3, vocabulary))];

    private enum Reader
    {
        Whole,
        Slow,
        Leaves,
    }

    /// <param name="Scores">The prompt's logits are wanted, and no reply.</param>
    private sealed record Job(GenerationRequest Request, bool Scores, Reader Reads);
}
