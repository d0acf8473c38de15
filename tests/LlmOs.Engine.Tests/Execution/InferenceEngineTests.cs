using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Execution;

/// <summary>The whole engine over real graphs: what is served together equals, to the bit, what is served alone.</summary>
public sealed class InferenceEngineTests
{
    [Fact]
    public async Task Recorded_greedy_ids_come_back_alone_and_eight_at_a_time()
    {
        var folder = SharedFolder.Require("models", "hf-tiny", "llama-gqa");
        var cases = GreedyCases(folder);
        Assert.True(cases.Count >= 9, $"only {cases.Count} cases");
        await using var engine = Load(TinyLlama.Open(folder), slots: 8);

        foreach (var (request, expected) in cases)
        {
            Assert.Equal(expected, await engine.Submit(request).TokensAsync());
        }

        var together = Enumerable.Range(0, 24).Select(i => cases[i % cases.Count]).ToList();
        var sequences = together.Select(c => engine.Submit(c.Request)).ToList();
        for (var i = 0; i < sequences.Count; i++)
        {
            Assert.Equal(together[i].Expected, await sequences[i].TokensAsync());
        }
    }

    [Fact]
    public async Task Recorded_logits_come_back()
    {
        var folder = SharedFolder.Require("models", "hf-tiny", "llama-gqa");
        var reference = new Safetensors(Path.Combine(folder, "reference.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference.json")));
        await using var engine = Load(TinyLlama.Open(folder), slots: 2, chunk: 8);
        var compared = 0;

        foreach (var one in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (one.GetProperty("kind").GetString() != "forward" || !one.GetProperty("tensors").TryGetProperty("logits", out var name))
            {
                continue;
            }

            var expected = reference.Read(name.GetString()!);
            var actual = await engine.LogitsAsync(Ids(one.GetProperty("input_ids")[0]), TestContext.Current.CancellationToken);
            Assert.Equal(expected.Length, actual.Length);
            Assert.True(expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() < 1e-4);
            compared++;
        }

        Assert.True(compared > 0);
    }

    [Theory]
    [InlineData(64, 4, 2, 112, 384)]
    [InlineData(576, 9, 3, 1536, 2048)] // the widths of SmolLM2-135M: large enough for the runtime's threads
    public async Task A_batched_reply_equals_the_reply_alone_to_the_bit(int width, int heads, int kvHeads, int inner, int vocabulary)
    {
        var model = TinyLlama.Random(seed: 5, layers: 2, width, heads, kvHeads, inner, vocabulary, context: 256);
        var opening = Prompt(100, 70);
        var requests = Enumerable.Range(0, 12)
            .Select(i => Sampled(i % 3 == 2 ? [.. opening, .. Prompt(i, i)] : Prompt(i, 3 + (i * 17)), i))
            .ToList();
        var alone = new List<List<GenerationPiece>>();
        foreach (var request in requests)
        {
            // A fresh engine each: no slot, no prefix, no neighbour is shared.
            await using var fresh = Load(model, slots: 1, chunk: 32);
            alone.Add(await fresh.Submit(request).PiecesAsync());
        }

        await using var engine = Load(model, slots: 8, chunk: 32);
        for (var round = 0; round < 2; round++)
        {
            // More requests than slots: some join in mid-flight; those with the same opening share it through the cache.
            var sequences = requests.Select(request => engine.Submit(request)).ToList();
            for (var i = 0; i < sequences.Count; i++)
            {
                Assert.Equal(Figures(alone[i]), Figures(await sequences[i].PiecesAsync()));
            }
        }

        Assert.True(engine.Snapshot().CachedTokens >= 64);
    }

    [Fact]
    public async Task Logits_of_a_prompt_agree_with_the_reply_and_do_not_depend_on_the_load()
    {
        var model = TinyLlama.Random(seed: 6);
        await using var engine = Load(model, slots: 4, chunk: 16);
        var prompt = Prompt(1, 50);
        var vocabulary = model.Shape.Vocabulary;

        var alone = await engine.LogitsAsync(prompt, TestContext.Current.CancellationToken);
        var others = Enumerable.Range(0, 4).Select(i => engine.Submit(Sampled(Prompt(i, 20), i))).ToList();
        var loaded = await engine.LogitsAsync(prompt, TestContext.Current.CancellationToken);
        var first = (await engine.Submit(Greedy.Request(prompt, 1)).TokensAsync())[0];

        Assert.Equal(prompt.Length * vocabulary, alone.Length);
        Assert.Equal(alone, loaded);
        var lastRow = alone[^vocabulary..];
        Assert.Equal(Array.IndexOf(lastRow, lastRow.Max()), first);
        foreach (var other in others)
        {
            await other.PiecesAsync();
        }
    }

    [Fact]
    public async Task Requests_that_cannot_run_are_refused_with_the_reason()
    {
        var model = TinyLlama.Random(seed: 7);
        await using var engine = Load(model, slots: 2);

        Assert.Contains("at least one", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("id 384 at position 1", Refusal([1, 384]), StringComparison.Ordinal);
        Assert.Contains("id -1", Refusal([-1]), StringComparison.Ordinal);
        Assert.Contains("at most 255", Refusal(Prompt(0, 256)), StringComparison.Ordinal);

        string Refusal(int[] prompt) => Assert.Throws<ArgumentException>(() => engine.Submit(Greedy.Request(prompt, 4))).Message;
    }

    [Fact]
    public async Task A_reply_ends_where_the_context_ends()
    {
        var model = TinyLlama.Random(seed: 8);
        await using var engine = Load(model, slots: 2);

        var pieces = await engine.Submit(Greedy.Request(Prompt(0, 250), 1000)).PiecesAsync();

        Assert.Equal(6, pieces.Count);
        Assert.Equal(FinishReason.Length, pieces[^1].Finish);
    }

    [Fact]
    public void A_card_that_is_not_there_is_refused_with_what_to_do()
    {
        var path = TinyLlama.Random(seed: 9).Write();

        var refusal = Assert.Throws<EngineDeviceException>(() =>
            InferenceEngine.Load(path, TinyLlama.Random(seed: 9).Shape, new EngineOptions(), EngineDevice.Cuda, TimeProvider.System));

        Assert.Contains("OrtFlavor=cuda13", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_graph_of_another_shape_is_refused()
    {
        var model = TinyLlama.Random(seed: 10);
        var path = model.Write();

        Assert.Contains("exactly 1 layers", Refusal(model.Shape with { Layers = 1 }), StringComparison.Ordinal);
        Assert.Contains("past_key.2", Refusal(model.Shape with { Layers = 3 }), StringComparison.Ordinal);
        Assert.Contains("f32 [rows, 4, capacity, 16]", Refusal(model.Shape with { KvHeads = 4 }), StringComparison.Ordinal);

        string Refusal(LlmOs.Engine.Execution.DecoderShape shape) => Assert.Throws<EngineGraphException>(() =>
            InferenceEngine.Load(path, shape, new EngineOptions(), EngineDevice.Cpu, TimeProvider.System)).Message;
    }

    private static InferenceEngine Load(TinyLlama model, int slots, int chunk = 64) => InferenceEngine.Load(
        model.Write(), model.Shape, new EngineOptions { Slots = slots, PrefillChunk = chunk, Threads = 2 }, EngineDevice.Auto, TimeProvider.System);

    private static GenerationRequest Sampled(int[] prompt, int seed) => new()
    {
        PromptTokens = prompt,
        MaxTokens = 24,
        TopLogprobs = 3,
        Sampling = new SamplingParameters { Temperature = seed % 3 == 0 ? 0 : 0.8, TopP = 0.9, Seed = seed },
    };

    /// <summary>Everything of a reply that must repeat, log-probabilities to the last bit.</summary>
    private static List<string> Figures(IEnumerable<GenerationPiece> pieces) =>
        [.. pieces.Select(p => $"{p.Token} {BitConverter.SingleToInt32Bits(p.Logprob!.Value):x8} {string.Join(' ', p.TopLogprobs.Select(t => $"{t.Token}:{BitConverter.SingleToInt32Bits(t.Logprob):x8}"))} {p.Finish}")];

    private static int[] Prompt(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(384))];
    }

    /// <summary>The recorded greedy replies whose options the engine knows; rows of a padded batch one by one.</summary>
    private static List<(GenerationRequest Request, int[] Expected)> GreedyCases(string folder)
    {
        string[] known = ["do_sample", "num_beams", "max_new_tokens", "eos_token_id", "repetition_penalty"];
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "reference.json")));
        var cases = new List<(GenerationRequest, int[])>();
        foreach (var one in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (one.GetProperty("kind").GetString() != "generate"
                || one.GetProperty("generation").GetProperty("num_beams").GetInt32() != 1
                || one.GetProperty("generation").EnumerateObject().Any(option => !known.Contains(option.Name)))
            {
                continue;
            }

            var options = one.GetProperty("generation");
            var request = new GenerationRequest
            {
                PromptTokens = [],
                MaxTokens = options.GetProperty("max_new_tokens").GetInt32(),
                EndTokens = options.TryGetProperty("eos_token_id", out var ends) ? Ids(ends) : [2],
                Sampling = new SamplingParameters
                {
                    Temperature = 0,
                    RepetitionPenalty = options.TryGetProperty("repetition_penalty", out var penalty) ? penalty.GetDouble() : 1,
                },
            };
            for (var row = 0; row < one.GetProperty("input_ids").GetArrayLength(); row++)
            {
                var prompt = Ids(one.GetProperty("input_ids")[row]);
                if (one.TryGetProperty("attention_mask", out var mask))
                {
                    prompt = prompt[Ids(mask[row]).Count(bit => bit == 0)..];
                }

                cases.Add((request with { PromptTokens = prompt }, Ids(one.GetProperty("new_ids")[row])));
            }
        }

        return cases;
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
