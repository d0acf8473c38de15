using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>What one caller asks does not stop, starve or show itself to another.</summary>
public sealed class FairnessTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;

    private static readonly EngineCaller A = new("a");
    private static readonly EngineCaller B = new("b");

    [Fact]
    public async Task Scores_are_made_while_every_slot_waits_for_its_reader()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PieceBuffer = 4 });
        // Nobody reads them: each waits for its reader, in its slot, with its buffer full.
        var unread = Enumerable.Range(0, 8).Select(i => world.Engine.Submit(Greedy.Request([i], 40))).ToList();

        var scores = await world.Engine.SubmitScoring(new ScoringRequest { Tokens = [1, 2, 3], Top = 1 }).Result;

        Assert.Equal([2, 3], scores.Select(score => score.Token));
        foreach (var (sequence, i) in unread.Select((sequence, i) => (sequence, i)))
        {
            Assert.Equal(ScriptedRunner.Reply([i], 40, Vocabulary), await sequence.TokensAsync());
        }
    }

    [Fact]
    public async Task A_score_is_what_the_logits_say()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        var random = new Random(5);
        int[] prompt = [.. Enumerable.Range(0, 21).Select(_ => random.Next(Vocabulary))];

        var scores = await world.Engine.SubmitScoring(new ScoringRequest { Tokens = prompt, From = 3, Top = 2 }).Result;

        Assert.Equal(prompt[3..], scores.Select(score => score.Token));
        for (var i = 0; i < scores.Count; i++)
        {
            var row = ScriptedRunner.LogitsAfter(prompt.AsSpan(0, i + 3), Vocabulary);
            var normaliser = Math.Log(row.Sum(logit => Math.Exp(logit)));
            var best = row.Select((logit, id) => (logit, id)).OrderByDescending(pair => pair.logit).Take(2).ToList();
            Assert.Equal(row[prompt[i + 3]] - normaliser, scores[i].Logprob, 1e-5);
            Assert.Equal(best.Select(pair => pair.id), scores[i].Top.Select(top => top.Token));
            Assert.Equal(best[0].logit - normaliser, scores[i].Top[0].Logprob, 1e-5);
            Assert.Equal(best[0].id == prompt[i + 3], scores[i].IsLikeliest);
        }
    }

    [Fact]
    public async Task Scores_of_a_prompts_end_begin_with_what_is_cached_of_its_beginning()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        var prompt = Prompt(20);
        await world.Engine.Submit(Greedy.Request(prompt, 2)).TokensAsync();

        var scoring = world.Engine.SubmitScoring(new ScoringRequest { Tokens = prompt, From = 18 });
        await scoring.Result;
        var whole = world.Engine.SubmitScoring(new ScoringRequest { Tokens = prompt });
        await whole.Result;

        Assert.Equal((16, 0), (scoring.Usage.CachedTokens, whole.Usage.CachedTokens));
    }

    [Fact]
    public async Task What_waits_to_be_scored_takes_no_memory_for_it()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var first = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 1)));
        await world.Reached;
        var prompt = Prompt(190);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var scores = world.Engine.SubmitScoring(new ScoringRequest { Tokens = prompt });
        var logits = world.Engine.SubmitLogits(prompt, source: []);
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        world.GoOn();

        Assert.InRange(taken, 1, 190 * Vocabulary); // a byte for each of the numbers; they have four
        await Task.WhenAll(first.TokensAsync(), scores.Result, logits.Result);
    }

    [Fact]
    public async Task A_prompt_of_another_project_is_not_found_in_the_cache()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 8 });
        var prompt = Prompt(40);

        Assert.Equal(0, await CachedAsync(world, prompt, A));
        Assert.Equal(0, await CachedAsync(world, prompt, B));
        Assert.Equal(32, await CachedAsync(world, prompt, A));
        Assert.Equal(32, await CachedAsync(world, prompt, B));
        Assert.Equal(0, await CachedAsync(world, prompt, EngineCaller.Nobody));
    }

    [Fact]
    public async Task A_caller_who_fills_every_slot_gives_one_up_for_another_and_every_reply_stays_the_same()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 8, PieceBuffer = 200 });
        var flood = await FloodAsync(world, stopAt: 30, Enumerable.Range(0, 12).Select(i => Greedy.Request(Prompt(20 + i), 100)));

        var other = world.Engine.Submit(Greedy.Request(Prompt(9), 3) with { Caller = B });
        world.GoOn();

        Assert.Equal(ScriptedRunner.Reply(Prompt(9), 3, Vocabulary), await other.TokensAsync());

        // Its prompt was read to the end before the first of the others' hundred tokens can have been made.
        Assert.InRange(world.Runner.Runs.ToList().FindIndex(run => run is { IsPrefill: true, Past: 8, Count: 1 }), 30, 99);
        Assert.InRange(world.Engine.Snapshot().Preempted, 1, 4);
        foreach (var (sequence, i) in flood.Select((sequence, i) => (sequence, i)))
        {
            Assert.Equal(ScriptedRunner.Reply(Prompt(20 + i), 100, Vocabulary), await sequence.TokensAsync());
        }
    }

    [Fact]
    public async Task A_short_prompt_has_its_turn_beside_many_long_ones_of_another_caller()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 8, PrefillChunk = 8 });
        var flood = await FloodAsync(world, stopAt: 10, Enumerable.Range(0, 32).Select(i => Greedy.Request(Prompt(150 + i), 2)));

        var other = world.Engine.Submit(Greedy.Request(Prompt(9), 1) with { Caller = B });
        world.GoOn();

        await other.TokensAsync();
        // Its own two chunks, and one of the others between them.
        var chunks = world.Runner.Runs.Where(run => run.IsPrefill && run.Number > 10).ToList();
        Assert.InRange(chunks.FindIndex(run => run.Past == 8 && run.Count == 1), 1, 3);
        await Task.WhenAll(flood.Select(sequence => sequence.TokensAsync()));
    }

    [Fact]
    public async Task Beams_let_a_request_of_one_token_pass_while_they_wait_for_slots()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PieceBuffer = 200 });
        var first = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 190)));
        await world.Reached;
        var beams = world.Engine.SubmitBeams(Greedy.Request([2, 2], 5) with { Beams = new BeamSettings(4) });
        var one = world.Engine.Submit(Greedy.Request([3, 3, 3], 1));
        world.GoOn();

        await one.TokensAsync();
        await beams.Result;
        Assert.Equal(ScriptedRunner.Reply([1], 190, Vocabulary), await first.TokensAsync());
        var runs = world.Runner.Runs.ToList();
        var (passed, searched) = (runs.FindIndex(run => run is { IsPrefill: true, Count: 3 }), runs.FindIndex(run => run is { IsPrefill: true, Count: 2 }));
        Assert.True(passed < 6, $"the request of one token waited until run {passed}");
        Assert.InRange(searched, passed, 190); // and the beams did not wait until the long reply had ended
    }

    [Fact]
    public async Task One_caller_does_not_take_every_place()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, MaxQueued = 10, MaxQueuedPerCaller = 2 });
        var places = Enumerable.Range(0, 3).Select(_ => world.Engine.Enter(A)).ToList();

        var refusal = Assert.Throws<EngineBusyException>(() => world.Engine.Enter(A));
        Assert.Equal((3, 3, true), (refusal.Ahead, refusal.Own, refusal.OfCaller));
        Assert.True(refusal.RetryAfter >= TimeSpan.FromSeconds(1));
        places.Add(world.Engine.Enter(B));
        places[0].Dispose();
        places[0].Dispose(); // giving a place back twice gives one back
        world.Engine.Enter(A);
        Assert.Throws<EngineBusyException>(() => world.Engine.Enter(A));
    }

    [Fact]
    public async Task A_request_with_a_place_is_never_refused_however_many_parts_it_has()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, MaxQueued = 0 });
        using var place = world.Engine.Enter(A);

        var parts = Enumerable.Range(0, 50).Select(i => world.Engine.Submit(Greedy.Request([i % Vocabulary], 2) with { Caller = A }, place)).ToList();

        Assert.Throws<EngineBusyException>(() => world.Engine.Submit(Greedy.Request([1], 2)));
        Assert.All(await Task.WhenAll(parts.Select(part => part.TokensAsync())), tokens => Assert.Equal(2, tokens.Length));
    }

    /// <summary>One caller's requests, all there before the first step, and the loop stopped in a later run.</summary>
    private static async Task<List<EngineSequence>> FloodAsync(ScriptedWorld world, int stopAt, IEnumerable<GenerationRequest> requests)
    {
        using var submitted = new SemaphoreSlim(0);
        bool IsReached(ScriptedRun run)
        {
            if (run.Number == 0)
            {
                submitted.Wait();
            }

            return run.Number == stopAt;
        }

        var flood = world.StopAt(IsReached, () => requests.Select(request => world.Engine.Submit(request with { Caller = A })).ToList());
        submitted.Release();
        await world.Reached;
        return flood;
    }

    private static async Task<int> CachedAsync(ScriptedWorld world, int[] prompt, EngineCaller caller)
    {
        var sequence = world.Engine.Submit(Greedy.Request(prompt, 2) with { Caller = caller });
        Assert.Equal(ScriptedRunner.Reply(prompt, 2, Vocabulary), await sequence.TokensAsync());
        return sequence.Usage.CachedTokens;
    }

    private static int[] Prompt(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Vocabulary))];
    }
}
