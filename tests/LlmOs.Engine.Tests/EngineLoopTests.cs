using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

public sealed class EngineLoopTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;

    [Fact]
    public async Task Slots_that_were_left_hold_no_memory_but_for_whole_chunks_of_their_prompts()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 8 });
        var capacity = world.Engine.Snapshot().KvCapacity / 4; // a run of these tiny heads is a whole slot
        var brief = Enumerable.Range(0, 3).Select(i => world.Engine.Submit(Greedy.Request([i], 5))).ToList();
        var last = world.StopAt(run => run.Past == 30, () => world.Engine.Submit(Greedy.Request([.. Enumerable.Range(0, 10)], 40)));
        await world.Reached;
        foreach (var sequence in brief)
        {
            await sequence.TokensAsync();
        }

        // The others have gone; the one that runs has its slot.
        Assert.Equal(capacity, world.Engine.Snapshot().KvTokensHeld);

        // It keeps eight tokens of its prompt, which the next one begins with.
        world.GoOn();
        await last.TokensAsync();
        var next = world.Engine.Submit(Greedy.Request([.. Enumerable.Range(0, 9)], 3));
        Assert.Equal(ScriptedRunner.Reply([.. Enumerable.Range(0, 9)], 3, Vocabulary), await next.TokensAsync());
        Assert.Equal((8, capacity), (next.Usage.CachedTokens, world.Engine.Snapshot().KvTokensHeld));
    }

    [Fact]
    public async Task Every_reply_is_right_whatever_joins_leaves_pauses_and_shares_prefixes()
    {
        var random = new Random(12);
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 5, PrefillChunk = 8, PieceBuffer = 3, MaxQueued = 1000, MaxQueuedPerCaller = 1000 });
        var openings = Enumerable.Range(0, 4).Select(_ => Tokens(random, random.Next(10, 60))).ToList();
        var readers = new List<Task>();
        for (var i = 0; i < 300; i++)
        {
            int[] prompt = [.. openings[random.Next(4)], .. Tokens(random, random.Next(1, 40))];
            var (count, leaveAfter) = (random.Next(1, 60), random.Next(4) == 0 ? random.Next(1, 30) : int.MaxValue);
            readers.Add(Read(world, prompt, count, leaveAfter));
        }

        await Task.WhenAll(readers);

        // A short reply after all the others: who left has given its slot back by then.
        await world.Engine.Submit(Greedy.Request([1], 1)).TokensAsync();
        var snapshot = world.Engine.Snapshot();
        Assert.True(snapshot.CachedTokens > 1000, $"only {snapshot.CachedTokens} tokens came from the cache");
        Assert.Contains(world.Runner.Runs, run => !run.IsPrefill && run.Count == 5);

        static async Task Read(ScriptedWorld world, int[] prompt, int count, int leaveAfter)
        {
            var expected = ScriptedRunner.Reply(prompt, count, Vocabulary);
            var made = new List<int>();
            await foreach (var piece in world.Engine.Submit(Greedy.Request(prompt, count)).Pieces(TestContext.Current.CancellationToken))
            {
                made.Add(piece.Token);
                await Task.Yield();
                if (made.Count == leaveAfter)
                {
                    break;
                }
            }

            Assert.Equal(expected[..Math.Min(count, leaveAfter)], made);
        }
    }

    [Fact]
    public async Task A_reader_who_does_not_read_stops_only_its_own_sequence()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 3, PieceBuffer = 4 });
        int[] lazyPrompt = [7, 8, 9];
        var lazy = world.Engine.Submit(Greedy.Request(lazyPrompt, 40));

        var busy = await world.Engine.Submit(Greedy.Request([1, 2], 100)).TokensAsync();

        Assert.Equal(ScriptedRunner.Reply([1, 2], 100, Vocabulary), busy);
        var snapshot = world.Engine.Snapshot();
        Assert.Equal(104, snapshot.GeneratedTokens);
        Assert.Equal(1, snapshot.Paused);
        Assert.Equal(ScriptedRunner.Reply(lazyPrompt, 40, Vocabulary), await lazy.TokensAsync());
    }

    [Fact]
    public async Task A_running_sequence_gets_its_token_between_any_two_chunks_of_a_long_prompt()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 8 });
        var random = new Random(3);
        var first = world.StopAt(run => run.Number == 4, () => world.Engine.Submit(Greedy.Request([1], 60)));
        await world.Reached;
        var prompt = Tokens(random, 75);
        var second = world.Engine.Submit(Greedy.Request(prompt, 20));
        world.GoOn();

        Assert.Equal(ScriptedRunner.Reply([1], 60, Vocabulary), await first.TokensAsync());
        Assert.Equal(ScriptedRunner.Reply(prompt, 20, Vocabulary), await second.TokensAsync());

        var runs = world.Runner.Runs;
        var chunks = runs.Where(run => run.IsPrefill && run.Number > 4).ToList();
        Assert.Equal(10, chunks.Count);
        Assert.All(chunks, chunk => Assert.False(runs[chunk.Number + 1].IsPrefill));
        Assert.Contains(runs, run => !run.IsPrefill && run.Count == 2);
    }

    [Fact]
    public async Task A_prompt_seen_before_runs_only_its_last_chunk()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        var prompt = Tokens(new Random(2), 20);
        var first = world.Engine.Submit(Greedy.Request(prompt, 6));
        var reply = await first.TokensAsync();
        var runs = world.Runner.Runs.Count;

        var second = world.Engine.Submit(Greedy.Request(prompt, 6));

        Assert.Equal(reply, await second.TokensAsync());
        Assert.Equal((0, 16), (first.Usage.CachedTokens, second.Usage.CachedTokens));
        Assert.Equal((16, 4), (world.Runner.Runs[runs].Past, world.Runner.Runs[runs].Count));
        var snapshot = world.Engine.Snapshot();
        Assert.Equal((24, 16), (snapshot.PromptTokens, snapshot.CachedTokens));
    }

    [Fact]
    public async Task Prompts_that_arrive_together_share_their_opening()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 8, PrefillChunk = 8 });
        var opening = Tokens(new Random(2), 64);
        var first = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([.. opening, 1], 3)));
        await world.Reached;
        var others = Enumerable.Range(2, 5).Select(i => world.Engine.Submit(Greedy.Request([.. opening, i], 3))).ToList();
        world.GoOn();

        await first.TokensAsync();
        foreach (var (other, i) in others.Select((other, i) => (other, i)))
        {
            Assert.Equal(ScriptedRunner.Reply([.. opening, i + 2], 3, Vocabulary), await other.TokensAsync());
        }

        Assert.Equal(64 + 6, world.Engine.Snapshot().PromptTokens);
    }

    [Fact]
    public async Task Logits_of_a_prompt_come_row_by_row()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2, PrefillChunk = 8 });
        var prompt = Tokens(new Random(5), 21);

        var logits = await world.Engine.LogitsAsync(prompt, TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(1, 21).SelectMany(length => ScriptedRunner.LogitsAfter(prompt.AsSpan(0, length), Vocabulary)), logits);
        Assert.Equal([8, 8, 5], world.Runner.Runs.Select(run => run.Count));
    }

    [Fact]
    public async Task Logits_can_be_given_up()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PrefillChunk = 8 });
        using var source = new CancellationTokenSource();
        var prompt = Tokens(new Random(5), 180);
        var logits = world.StopAt(run => run.Number == 2, () => world.Engine.LogitsAsync(prompt, source.Token));
        await world.Reached;

        await source.CancelAsync();
        world.GoOn();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => logits);
        Assert.Single(await world.Engine.Submit(Greedy.Request([2], 1)).TokensAsync());
        Assert.Equal(4, world.Runner.Runs.Count);
    }

    [Fact]
    public async Task Timings_tell_queue_prompt_and_decode_apart()
    {
        var clock = new ManualClock();
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PrefillChunk = 8 }, clock);
        var first = world.StopAt(run => run.Number == 0, () => world.Engine.Submit(Greedy.Request([1], 1)));
        await world.Reached;
        var second = world.Engine.Submit(Greedy.Request(Tokens(new Random(1), 20), 5));
        clock.Advance(1000);
        world.Runner.Before = run => clock.Advance(run.IsPrefill ? 100 : 10);
        world.GoOn();

        await first.TokensAsync();
        await second.TokensAsync();

        var timings = second.Usage;
        Assert.Equal(TimeSpan.FromMilliseconds(1000), timings.QueueTime);
        Assert.Equal(TimeSpan.FromMilliseconds(300), timings.PromptTime);
        Assert.Equal(TimeSpan.FromMilliseconds(40), timings.DecodeTime);
    }

    [Fact]
    public async Task An_end_token_is_the_last_piece()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var reply = ScriptedRunner.Reply([1], 30, Vocabulary);
        var end = reply[12];
        var length = Array.IndexOf(reply, end) + 1;

        var pieces = await world.Engine.Submit(Greedy.Request([1], 30, end)).PiecesAsync();

        Assert.Equal(reply[..length], pieces.Select(piece => piece.Token));
        Assert.Equal(FinishReason.Stop, pieces[^1].Finish);
        Assert.All(pieces[..^1], piece => Assert.Null(piece.Finish));
    }

    [Fact]
    public async Task Pieces_can_be_read_once()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var sequence = world.Engine.Submit(Greedy.Request([1], 2));
        await sequence.TokensAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => sequence.TokensAsync());
    }

    [Fact]
    public async Task A_decode_step_allocates_its_pieces_and_nothing_else()
    {
        const int pieces = 40 * 4;
        const int bytesEach = 48; // header, token, log-probability, list, finish
        const int odds = 200; // what the runtime itself may add; one object a step would be 960

        // Code that the runtime has not optimised yet makes objects that it leaves out later: the least of several runs counts.
        var least = long.MaxValue;
        for (var i = 0; i < 30 && least > (pieces * bytesEach) + odds; i++)
        {
            least = Math.Min(least, await AllocatedAsync());
        }

        Assert.InRange(least, pieces, (pieces * bytesEach) + odds);
    }

    /// <summary>Bytes that the loop's thread allocates in forty steps of four sequences.</summary>
    private static async Task<long> AllocatedAsync()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PieceBuffer = 512 });
        using var submitted = new SemaphoreSlim(0);
        var (before, after) = (0L, 0L);
        world.Runner.Before = run =>
        {
            if (run.Number == 0)
            {
                submitted.Wait(); // an admission allocates, and none may come later
            }

            // On the loop's thread. The buffers of the unread pieces double at 64 and at 128 pieces; this is in between.
            before = run.Number == 80 ? GC.GetAllocatedBytesForCurrentThread() : before;
            after = run.Number == 120 ? GC.GetAllocatedBytesForCurrentThread() : after;
        };

        var sequences = Enumerable.Range(0, 4).Select(i => world.Engine.Submit(Greedy.Request([i], 190))).ToList();
        submitted.Release();
        await Task.WhenAll(sequences.Select(sequence => sequence.FinalUsage)); // nobody reads meanwhile
        return after - before;
    }

    private static int[] Tokens(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];
}
