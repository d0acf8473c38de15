using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;
using LlmOs.Engine.Tests.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>A fault ends what is in it; who waits is served by an engine that was opened anew.</summary>
public sealed class EngineFaultTests
{
    private const int Vocabulary = ScriptedWorld.Vocabulary;

    [Fact]
    public async Task A_fault_outside_of_a_step_ends_what_has_slots_and_what_waits_is_served()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });
        var doomed = world.StopAt(run => run.Number == 0, () => Submit(world, new Faulty(planted: 1)));
        await world.Reached;
        var waiting = Enumerable.Range(0, 3).Select(i => world.Engine.Submit(Greedy.Request([i], 20))).ToList();
        world.GoOn();

        var fault = await Assert.ThrowsAsync<EngineStepException>(() => doomed.Result);

        Assert.Contains("planted", fault.Message, StringComparison.Ordinal);
        foreach (var (sequence, i) in waiting.Select((sequence, i) => (sequence, i)))
        {
            Assert.Equal(ScriptedRunner.Reply([i], 20, Vocabulary), await sequence.TokensAsync());
        }

        Assert.Equal(1, Assert.Single(world.Observer.Faults).Ended);
        Assert.Equal(1, world.Observer.Rebuilds);
        Assert.Empty(world.Observer.Ends);
    }

    [Fact]
    public async Task A_reader_that_is_waited_for_goes_on_after_a_fault_of_others()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1, PieceBuffer = 4 });
        var unread = world.Engine.Submit(Greedy.Request([1], 40));
        await world.Engine.Submit(Greedy.Request([2], 3)).TokensAsync(); // the first one has given its slot up for it

        await Assert.ThrowsAsync<EngineStepException>(() => Submit(world, new Faulty(planted: 1)).Result);

        Assert.Equal(ScriptedRunner.Reply([1], 40, Vocabulary), await unread.TokensAsync());
    }

    [Fact]
    public async Task A_failed_step_is_told_and_the_runtime_is_opened_anew_while_others_go_on()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4, PrefillChunk = 4 });
        var running = world.StopAt(run => run.Number == 3, () => world.Engine.Submit(Greedy.Request([1], 60)));
        await world.Reached;
        world.Runner.Before = run => Fail(run is { IsPrefill: true, Past: 20 });
        var failing = world.Engine.Submit(Greedy.Request([.. Enumerable.Range(0, 30)], 5));
        world.GoOn();

        await Assert.ThrowsAsync<EngineStepException>(() => failing.TokensAsync());

        Assert.Equal(ScriptedRunner.Reply([1], 60, Vocabulary), await running.TokensAsync());
        Assert.Equal((1, 1), (Assert.Single(world.Observer.Faults).Ended, world.Observer.Rebuilds));
        Assert.Equal(0, world.Engine.Snapshot().SlotsInUse);
    }

    [Fact]
    public async Task A_request_that_makes_every_step_fail_does_not_keep_the_runtime_from_the_others()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 4 }, new ManualClock());
        for (var round = 0; round < 5; round++)
        {
            world.Runner.Before = run => Fail(run.IsPrefill);
            await Assert.ThrowsAsync<EngineStepException>(() => world.Engine.Submit(Greedy.Request([1], 5)).TokensAsync());
            world.Runner.Before = null;
            Assert.Equal(5, (await world.Engine.Submit(Greedy.Request([1], 5)).TokensAsync()).Length);
        }

        Assert.Equal((5, 1), (world.Observer.Faults.Count, world.Observer.Rebuilds));
    }

    [Fact]
    public async Task An_engine_that_cannot_be_opened_anew_tells_everybody_and_its_operator()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 }, open: () => throw new InvalidOperationException("the file is gone"));
        var doomed = world.StopAt(run => run.Number == 0, () => Submit(world, new Faulty(planted: 1)));
        await world.Reached;
        var waiting = world.Engine.Submit(Greedy.Request([1], 20));
        world.GoOn();

        await Assert.ThrowsAsync<EngineStepException>(() => doomed.Result);
        await Assert.ThrowsAsync<EngineClosedException>(() => waiting.TokensAsync());

        Assert.Contains("the file is gone", Assert.Single(world.Observer.Ends).ToString(), StringComparison.Ordinal);
        Assert.True(world.Engine.HasEnded);
        Assert.Throws<EngineClosedException>(() => world.Engine.Submit(Greedy.Request([1], 1)));
    }

    [Fact]
    public async Task A_loop_that_fails_again_and_again_gives_up()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 1 });

        await Assert.ThrowsAsync<EngineClosedException>(() => Submit(world, new Faulty(planted: 0, isHopeless: true)).Result);

        Assert.Single(world.Observer.Ends);
        Assert.All(world.Observer.Faults, fault => Assert.Equal(0, fault.Ended));
    }

    [Fact]
    public async Task Where_rules_ban_every_token_the_sequence_ends_with_that_and_no_banned_one_comes()
    {
        await using var world = new ScriptedWorld(new EngineOptions { Slots = 2 });
        var all = Enumerable.Range(0, Vocabulary).ToList();
        var rules = new TokenRules { Suppressed = all };
        var other = world.Engine.Submit(Greedy.Request([4], 30));

        foreach (var sampling in new SamplingParameters[] { new() { Temperature = 0 }, new() { Temperature = 1, Seed = 1 }, new() { TopK = 3, TopP = 0.5 } })
        {
            var fault = await Assert.ThrowsAsync<EngineChoiceException>(() => world.Engine.Submit(Greedy.Request([1], 5) with { Rules = rules, Sampling = sampling }).TokensAsync());
            Assert.Contains("ban every token", fault.Message, StringComparison.Ordinal);
        }

        Assert.Equal(ScriptedRunner.Reply([4], 30, Vocabulary), await other.TokensAsync());
        Assert.Empty(world.Observer.Faults);
    }

    private static EngineRun<int> Submit(ScriptedWorld world, Faulty kind)
    {
        world.Loop.Submit(new SequenceGroup([1, 2], [], kind, EngineCaller.Nobody), place: null);
        return (EngineRun<int>)kind.Run;
    }

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new InvalidOperationException("planted");
        }
    }

    /// <summary>A kind that throws where no step is guarded: when the loop asks whether its reader has caught up.</summary>
    /// <param name="isHopeless">Whether it also throws whenever the next step is planned.</param>
    private sealed class Faulty(int planted, bool isHopeless = false) : SequenceKind(new EngineRun<int>(() => 0, TimeProvider.System))
    {
        private int _planted = planted;

        public override bool IsFull => true;

        public override int RowsFrom => isHopeless ? throw new InvalidOperationException("planted") : base.RowsFrom;

        public override bool HasRoom => _planted-- > 0 ? throw new InvalidOperationException("planted") : true;

        public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next)
        {
            next[0] = new Continuation(Parent: 0, Token: 1);
            return new LogitsOutcome(IsDone: false, Made: 1);
        }
    }
}
