using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>What a run is charged: what the loop made, whoever read it and however it ended.</summary>
public sealed class EngineUsageTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;

    [Fact]
    public async Task A_finished_sequence_has_its_prompt_its_tokens_and_its_times()
    {
        var clock = new ManualClock();
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PrefillChunk = 8 }, clock);
        var first = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 1)));
        await world.Reached;
        var second = world.Engine.Submit(Greedy.Request(Prompt(20), 5));
        clock.Advance(1000);
        var waiting = second.Usage;
        world.Runner.Before = run => clock.Advance(run.IsPrefill ? 100 : 10);
        world.GoOn();

        await first.TokensAsync();
        await second.TokensAsync();

        Assert.Equal(EngineUsage.None with { QueueTime = Milliseconds(1000) }, waiting);
        Assert.Equal(new EngineUsage(20, 0, 5, Milliseconds(1000), Milliseconds(300), Milliseconds(40)), second.Usage);
        Assert.Equal(second.Usage, await second.FinalUsage);
    }

    [Fact]
    public async Task A_cancelled_sequence_counts_the_tokens_that_nobody_read()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var sequence = world.StopAt(run => run.Number == 7, () => world.Engine.Submit(Greedy.Request(Prompt(3), 100)));
        await world.Reached;
        Assert.Equal(7, sequence.Usage.GeneratedTokens); // one after the prompt, one in each of six decode steps

        sequence.Cancel();
        world.GoOn();

        var usage = await sequence.FinalUsage;
        Assert.Equal((3, 0, 8), (usage.PromptTokens, usage.CachedTokens, usage.GeneratedTokens));
        Assert.Equal(usage, sequence.Usage);
        Assert.Equal(8, world.Engine.Snapshot().GeneratedTokens);
    }

    [Fact]
    public async Task A_reader_that_leaves_is_charged_what_was_made_before_the_loop_heard_of_it()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PieceBuffer = 6 });
        var sequence = world.Engine.Submit(Greedy.Request(Prompt(3), 100));
        while (world.Engine.Snapshot().Paused == 0)
        {
            await Task.Yield(); // until the loop has filled the buffer
        }

        await foreach (var _ in sequence.Pieces(TestContext.Current.CancellationToken))
        {
            break;
        }

        Assert.Equal(6, (await sequence.FinalUsage).GeneratedTokens);
    }

    [Fact]
    public async Task A_sequence_cancelled_in_the_queue_costs_its_waiting_alone()
    {
        var clock = new ManualClock();
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 }, clock);
        world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 3)));
        await world.Reached;
        var waiting = world.Engine.Submit(Greedy.Request(Prompt(9), 3));

        clock.Advance(70);
        waiting.Cancel();
        world.GoOn();
        var usage = await waiting.FinalUsage;
        clock.Advance(500);

        Assert.Equal(EngineUsage.None with { QueueTime = Milliseconds(70) }, usage);
        Assert.Equal(usage, waiting.Usage);
    }

    [Fact]
    public async Task A_sequence_whose_step_fails_is_charged_the_tokens_before_it()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        world.Runner.Before = run => Fail(run is { IsPrefill: false, Number: 6 } or { IsPrefill: true, Past: 16 });

        var decoding = world.Engine.Submit(Greedy.Request([1], 60));
        Assert.Equal(6, (await decoding.FinalUsage).GeneratedTokens);
        var prompted = world.Engine.Submit(Greedy.Request(Prompt(30), 60));

        Assert.Equal((16, 0), ((await prompted.FinalUsage).PromptTokens, prompted.Usage.GeneratedTokens));
        await Assert.ThrowsAsync<EngineStepException>(() => decoding.TokensAsync());
        await Assert.ThrowsAsync<EngineStepException>(() => prompted.TokensAsync());
    }

    [Fact]
    public async Task Closing_the_engine_ends_every_count()
    {
        var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var running = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 100)));
        await world.Reached;
        EngineRun[] waiting =
        [
            world.Engine.Submit(Greedy.Request([2], 100)),
            world.Engine.SubmitBeams(Greedy.Request([2], 5) with { Beams = new BeamSettings(1) }),
            world.Engine.SubmitScoring(new ScoringRequest { Tokens = [1, 2, 3] }),
        ];

        var disposing = world.DisposeAsync().AsTask();
        world.GoOn();
        await disposing;

        Assert.Equal(4, (await running.FinalUsage).GeneratedTokens);
        Assert.All(await Task.WhenAll(waiting.Select(run => run.FinalUsage)), usage => Assert.Equal((0, 0), (usage.PromptTokens, usage.GeneratedTokens)));
    }

    [Fact]
    public async Task Tokens_from_the_cache_are_told_apart_from_those_that_were_run()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        var prompt = Prompt(20);
        await world.Engine.Submit(Greedy.Request(prompt, 2)).TokensAsync();

        var again = world.Engine.Submit(Greedy.Request(prompt, 2));
        await again.TokensAsync();
        var beams = world.Engine.SubmitBeams(Greedy.Request(prompt, 2) with { Beams = new BeamSettings(2) });
        await beams.Result;

        Assert.Equal((20, 16), (again.Usage.PromptTokens, again.Usage.CachedTokens));
        Assert.Equal((20, 16), (beams.Usage.PromptTokens, beams.Usage.CachedTokens));
    }

    [Fact]
    public async Task A_beam_search_counts_a_token_of_every_beam_and_step()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4 });
        var request = Greedy.Request(Prompt(5), 40) with { Beams = new BeamSettings(3) };

        var whole = world.Engine.SubmitBeams(request);
        await whole.Result;
        var runs = world.Runner.Runs.Count;
        var left = world.StopAt(run => run.Number == runs + 4, () => world.Engine.SubmitBeams(request));
        await world.Reached;
        left.Cancel();
        world.GoOn();

        Assert.Equal((5, 120), (whole.Usage.PromptTokens, (await whole.FinalUsage).GeneratedTokens));
        Assert.Equal(15, (await left.FinalUsage).GeneratedTokens);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.Result);
    }

    [Fact]
    public async Task Scoring_counts_the_prompt_as_far_as_it_was_run()
    {
        var clock = new ManualClock();
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PrefillChunk = 8 }, clock);
        world.Runner.Before = _ => clock.Advance(10);
        var whole = world.Engine.SubmitScoring(new ScoringRequest { Tokens = Prompt(20) });
        await whole.Result;
        var left = world.StopAt(run => run.Number == 4, () => world.Engine.SubmitScoring(new ScoringRequest { Tokens = Prompt(100) }));
        await world.Reached;

        left.Cancel();
        world.GoOn();

        Assert.Equal(new EngineUsage(20, 0, 0, TimeSpan.Zero, Milliseconds(30), TimeSpan.Zero), whole.Usage);
        Assert.Equal(16, (await left.FinalUsage).PromptTokens);
    }

    [Fact]
    public async Task A_usage_read_while_the_loop_works_never_goes_back_and_never_mixes_two_moments()
    {
        var clock = new ManualClock();
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PieceBuffer = 200 }, clock);
        world.Runner.Before = run => clock.Advance(run.IsPrefill ? 0 : 1);
        var sequence = world.Engine.Submit(Greedy.Request([1], 190));

        var seen = 0;
        while (!sequence.FinalUsage.IsCompleted)
        {
            var usage = sequence.Usage;
            Assert.True(usage.GeneratedTokens >= seen);
            Assert.Equal(Math.Max(0, usage.GeneratedTokens - 1), usage.DecodeTime.TotalMilliseconds);
            seen = usage.GeneratedTokens;
        }

        Assert.Equal(190, sequence.Usage.GeneratedTokens);
    }

    private static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);

    private static int[] Prompt(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Vocabulary))];
    }

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new InvalidOperationException("planted");
        }
    }
}
