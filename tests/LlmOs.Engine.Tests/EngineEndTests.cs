using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>How sequences end before they are done, and how the engine does.</summary>
public sealed class EngineEndTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;

    [Fact]
    public async Task A_cancelled_sequence_takes_part_in_no_further_step()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2 });
        var sequence = world.StopAt(run => run.Number == 5, () => world.Engine.Submit(Greedy.Request([1, 2], 100)));
        await world.Reached;

        sequence.Cancel();
        world.GoOn();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sequence.TokensAsync());
        await world.Engine.Submit(Greedy.Request([3], 1)).TokensAsync();
        Assert.Equal([true, false, false, false, false, false, true], world.Runner.Runs.Select(run => run.IsPrefill));
        Assert.Equal(0, world.Engine.Snapshot().SlotsInUse);
    }

    [Fact]
    public async Task Leaving_the_pieces_frees_the_slot()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });

        await foreach (var piece in world.Engine.Submit(Greedy.Request([1], 150)).Pieces(TestContext.Current.CancellationToken))
        {
            Assert.Null(piece.Finish);
            break;
        }

        // With one slot this could not run otherwise.
        Assert.Single(await world.Engine.Submit(Greedy.Request([2], 1)).TokensAsync());
    }

    [Fact]
    public async Task A_cancelled_token_ends_the_pieces_and_the_sequence()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PieceBuffer = 4 });
        using var source = new CancellationTokenSource();
        var sequence = world.Engine.Submit(Greedy.Request([1], 150));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in sequence.Pieces(source.Token))
            {
                await source.CancelAsync();
            }
        });

        Assert.Single(await world.Engine.Submit(Greedy.Request([2], 1)).TokensAsync());
    }

    [Fact]
    public async Task Cancelling_a_sequence_that_waits_takes_it_out_of_the_queue()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, MaxQueued = 1 });
        var running = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 10)));
        await world.Reached;
        var waiting = world.Engine.Submit(Greedy.Request([2], 10));

        waiting.Cancel();
        world.GoOn();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.TokensAsync());
        Assert.Equal(10, (await running.TokensAsync()).Length);
        Assert.Equal(1, world.Runner.Runs.Count(run => run.IsPrefill));
    }

    [Fact]
    public async Task A_full_engine_refuses_and_takes_again_when_one_has_ended()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, MaxQueued = 1 });
        var first = world.StopAt(run => run.Number == 2, () => world.Engine.Submit(Greedy.Request([1], 5)));
        await world.Reached;
        var second = world.Engine.Submit(Greedy.Request([2], 5));

        var refusal = Assert.Throws<EngineBusyException>(() => world.Engine.Submit(Greedy.Request([3], 5)));

        Assert.Equal((2, false), (refusal.Ahead, refusal.OfCaller));
        world.GoOn();
        await first.TokensAsync();
        Assert.Equal(5, (await world.Engine.Submit(Greedy.Request([3], 5)).TokensAsync()).Length);
        Assert.Equal(5, (await second.TokensAsync()).Length);
    }

    [Fact]
    public async Task A_step_that_fails_ends_its_sequences_and_nothing_else()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4 });
        world.Runner.Before = run =>
        {
            if (run is { IsPrefill: false, Number: 6 })
            {
                throw new InvalidOperationException("planted");
            }
        };

        var failed = await Assert.ThrowsAsync<EngineStepException>(() => world.Engine.Submit(Greedy.Request([1], 60)).TokensAsync());

        Assert.Contains("planted", failed.Message, StringComparison.Ordinal);
        Assert.Equal(ScriptedRunner.Reply([1], 9, Vocabulary), await world.Engine.Submit(Greedy.Request([1], 9)).TokensAsync());
        Assert.Equal(0, world.Engine.Snapshot().SlotsInUse);
    }

    [Fact]
    public async Task A_prompt_that_fails_leaves_running_sequences_alone_and_its_slot_is_not_reused_as_a_prefix()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 4 });
        var random = new Random(8);
        var prompt = Tokens(random, 30);
        var running = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 60)));
        await world.Reached;
        world.Runner.Before = run =>
        {
            if (run is { IsPrefill: true, Past: 20 })
            {
                throw new InvalidOperationException("planted");
            }
        };
        var failing = world.Engine.Submit(Greedy.Request(prompt, 5));
        world.GoOn();

        await Assert.ThrowsAsync<EngineStepException>(() => failing.TokensAsync());
        Assert.Equal(ScriptedRunner.Reply([1], 60, Vocabulary), await running.TokensAsync());
        world.Runner.Before = null;
        var again = world.Engine.Submit(Greedy.Request(prompt, 5));
        Assert.Equal(ScriptedRunner.Reply(prompt, 5, Vocabulary), await again.TokensAsync());
        Assert.Equal(0, again.Usage.CachedTokens);
    }

    [Fact]
    public async Task Logits_that_are_no_numbers_end_one_sequence()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4 });
        var reply = ScriptedRunner.Reply([1], 30, Vocabulary);
        world.Runner.PoisonAfter = reply[9];
        var other = ScriptedRunner.Reply([4, 4], 30, Vocabulary).TakeWhile(token => token != reply[9]).ToArray();

        var doomed = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 30)));
        await world.Reached;
        var fine = world.Engine.Submit(Greedy.Request([4, 4], other.Length));
        world.GoOn();

        var fault = await Assert.ThrowsAsync<EngineStepException>(() => doomed.TokensAsync());
        Assert.Contains("NaN", fault.Message, StringComparison.Ordinal);
        Assert.Equal(other, await fine.TokensAsync());
    }

    [Fact]
    public async Task Disposing_fails_what_runs_and_waits_and_refuses_what_comes()
    {
        var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var running = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 100)));
        await world.Reached;
        var waiting = world.Engine.Submit(Greedy.Request([2], 100));
        var logits = world.Engine.LogitsAsync([1, 2, 3], TestContext.Current.CancellationToken);

        var disposing = world.DisposeAsync().AsTask();
        world.GoOn();
        await disposing;

        await Assert.ThrowsAsync<EngineClosedException>(() => running.TokensAsync());
        await Assert.ThrowsAsync<EngineClosedException>(() => waiting.TokensAsync());
        await Assert.ThrowsAsync<EngineClosedException>(() => logits);
        Assert.Throws<EngineClosedException>(() => world.Engine.Submit(Greedy.Request([1], 1)));
        Assert.True(world.Runner.IsDisposed);
        await world.DisposeAsync();
    }

    private static int[] Tokens(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];
}
