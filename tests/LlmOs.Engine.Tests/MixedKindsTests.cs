using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>Replies, beam searches and scorings share steps, slots and cache; each gives what it would give alone.</summary>
public sealed class MixedKindsTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;
    private const int End = 3;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Each_gets_what_it_would_get_alone_whoever_runs_beside_it_or_leaves(int seed)
    {
        var random = new Random(seed);
        var openings = Enumerable.Range(0, 4).Select(_ => Tokens(random, random.Next(9, 50))).ToList();
        var jobs = Enumerable.Range(0, 150).Select(i => new Job(
            i % 3,
            [.. openings[random.Next(4)], .. Tokens(random, random.Next(1, 30))],
            random.Next(1, 40),
            random.Next(2, 5),
            random.Next(5) == 0)).ToList();
        await using var alone = new ScriptedWorld(Options);
        await using var world = new ScriptedWorld(Options);

        // The first step waits until all are there, so that they do run beside each other.
        var first = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 1)));
        await world.Reached;
        List<Started> together = [];
        foreach (var job in jobs)
        {
            // Whoever waits for one result leaves when the run submitted before it has ended: in the queue, in its prompt or in its midst.
            together.Add(Start(world.Engine, job, job.Leaves ? together.Count == 0 ? Task.CompletedTask : together[^1].Run.FinalUsage : null));
        }

        world.GoOn();
        await first.TokensAsync();
        foreach (var (job, run) in jobs.Zip(together))
        {
            var answer = await run.Answer;
            var usage = await run.Run.FinalUsage;
            if (job.Leaves)
            {
                continue; // what it got is not asked for; that the others are right shows that it harmed nobody
            }

            var expected = Start(alone.Engine, job, leaves: null);
            Assert.Equal(await expected.Answer, answer);
            var cost = await expected.Run.FinalUsage;
            Assert.Equal((cost.PromptTokens, cost.GeneratedTokens), (usage.PromptTokens, usage.GeneratedTokens));
        }

        var runs = world.Runner.Runs;
        Assert.Contains(runs, run => !run.IsPrefill && run.Count == Options.Slots); // every slot was busy at once
        Assert.Contains(runs.Skip(1).SkipLast(1), run => run.IsPrefill && !runs[run.Number - 1].IsPrefill && !runs[run.Number + 1].IsPrefill);
        Assert.True(world.Engine.Snapshot().CachedTokens > 500, $"only {world.Engine.Snapshot().CachedTokens} tokens came from the cache");

        // Those who left have given their slots back: a search that needs all of them is found.
        Assert.Equal(Options.Slots, (await world.Engine.SubmitBeams(Greedy.Request([1], 2) with { Beams = new BeamSettings(Options.Slots) }).Result).Texts.Count);
    }

    private static EngineOptions Options => new() { Slots = 6, PrefillChunk = 8, PieceBuffer = 8, MaxQueued = 1000 };

    /// <param name="leaves">When the one who asked leaves; null: never.</param>
    private static Started Start(InferenceEngine engine, Job job, Task? leaves)
    {
        var request = Greedy.Request(job.Prompt, job.Count, End);
        switch (job.Kind)
        {
            case 0:
                var reply = engine.Submit(request);
                return new Started(reply, ReadAsync(reply, leaves is null ? int.MaxValue : job.Count / 2));
            case 1:
                var search = engine.SubmitBeams(request with { Beams = new BeamSettings(job.Beams, LengthPenalty: 0.7) });
                return new Started(search, TextsAsync(search, leaves));
            default:
                var scoring = engine.SubmitLogits(job.Prompt, source: []);
                return new Started(scoring, LogitsAsync(scoring, job.Prompt, leaves));
        }
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(EngineSequence reply, int leaveAfter)
    {
        List<string> pieces = [];
        await foreach (var piece in reply.Pieces(Cancel))
        {
            pieces.Add($"{piece.Token} {piece.Logprob:R} {piece.Finish}");
            if (pieces.Count > leaveAfter)
            {
                break;
            }
        }

        return pieces;
    }

    private static async Task<IReadOnlyList<string>> TextsAsync(EngineRun<BeamResult> search, Task? leaves) => await ResultAsync(search, leaves) is { } found
        ? [.. found.Texts.Select(text => $"{text.Score:R}: {string.Join(' ', text.Pieces.Select(piece => piece.Token))}")]
        : [];

    /// <summary>Scores are known without an engine: every row follows from the tokens before it.</summary>
    private static async Task<IReadOnlyList<string>> LogitsAsync(EngineRun<float[]> scoring, int[] prompt, Task? leaves)
    {
        if (await ResultAsync(scoring, leaves) is not { } logits)
        {
            return [];
        }

        Assert.Equal(Enumerable.Range(1, prompt.Length).SelectMany(length => ScriptedRunner.LogitsAfter(prompt.AsSpan(0, length), Vocabulary)), logits);
        return [$"{logits.Length} scores"];
    }

    /// <summary>Null where the one who asked left in time.</summary>
    private static async Task<T?> ResultAsync<T>(EngineRun<T> run, Task? leaves)
        where T : class
    {
        if (leaves is null)
        {
            return await run.Result;
        }

        await leaves;
        run.Cancel();
        try
        {
            return await run.Result;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static int[] Tokens(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];

    /// <param name="Kind">0 a reply, 1 a beam search, 2 a scoring.</param>
    private sealed record Job(int Kind, int[] Prompt, int Count, int Beams, bool Leaves);

    private sealed record Started(EngineRun Run, Task<IReadOnlyList<string>> Answer);
}
