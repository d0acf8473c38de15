using LlmOs.Contracts;
using LlmOs.Models.Loading;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Loading;

public class LoadOnceCacheTests
{
    private readonly List<string> _loaded = [];
    private readonly List<string> _unloaded = [];
    private readonly List<string> _reasons = [];
    private readonly FakeClock _clock = new();

    [Fact]
    public async Task Many_who_ask_at_once_share_one_load()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cache = Cache(budget: 10, before: _ => gate.Task);

        var asking = Enumerable.Range(0, 8).Select(_ => cache.LeaseAsync("a", CancellationToken.None)).ToList();
        gate.SetResult();
        var leases = await Task.WhenAll(asking);

        Assert.Equal(["a"], _loaded);
        Assert.All(leases, lease => Assert.Same(leases[0].Value, lease.Value));
    }

    [Fact]
    public async Task A_failed_load_does_not_poison_the_next_try()
    {
        var tries = 0;
        await using var cache = Cache(budget: 10, before: _ => ++tries == 1 ? Task.FromException(new InvalidDataException("broken")) : Task.CompletedTask);

        await Assert.ThrowsAsync<InvalidDataException>(() => cache.LeaseAsync("a", CancellationToken.None));
        using var lease = await cache.LeaseAsync("a", CancellationToken.None);

        Assert.Equal("a", lease.Value.Name);
    }

    [Fact]
    public async Task Who_leaves_does_not_stop_the_load_that_others_wait_for()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cache = Cache(budget: 10, before: _ => gate.Task);
        using var leaving = new CancellationTokenSource();

        var first = cache.LeaseAsync("a", leaving.Token);
        var second = cache.LeaseAsync("a", CancellationToken.None);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();

        using var lease = await second;
        Assert.Equal(["a"], _loaded);
    }

    [Fact]
    public async Task The_least_recently_used_idle_value_makes_room()
    {
        await using var cache = Cache(budget: 10);
        (await cache.LeaseAsync("a:4", CancellationToken.None)).Dispose();
        (await cache.LeaseAsync("b:4", CancellationToken.None)).Dispose();
        (await cache.LeaseAsync("a:4", CancellationToken.None)).Dispose();

        using var lease = await cache.LeaseAsync("c:4", CancellationToken.None);

        Assert.Equal(["b:4"], _unloaded);
        Assert.Equal(8, cache.Bytes);
        Assert.NotNull(cache.Peek("a:4"));
    }

    [Fact]
    public async Task A_value_in_use_is_never_unloaded()
    {
        await using var cache = Cache(budget: 10);
        var inUse = await cache.LeaseAsync("a:6", CancellationToken.None);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => cache.LeaseAsync("b:6", CancellationToken.None));
        inUse.Dispose();
        using var lease = await cache.LeaseAsync("b:6", CancellationToken.None);

        Assert.Equal("needs 6, holds 6, budget 10", refusal.Message);
        Assert.Equal(["a:6"], _unloaded);
    }

    [Fact]
    public async Task A_lease_that_is_given_back_twice_counts_once()
    {
        await using var cache = Cache(budget: 10);
        var first = await cache.LeaseAsync("a:6", CancellationToken.None);
        using var second = await cache.LeaseAsync("a:6", CancellationToken.None);
        first.Dispose();
        first.Dispose();

        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.LeaseAsync("b:6", CancellationToken.None));
    }

    [Fact]
    public async Task One_that_has_ended_by_itself_is_loaded_again()
    {
        await using var cache = Cache(budget: 10);
        using var first = await cache.LeaseAsync("a:6", CancellationToken.None);
        first.Value.HasEnded = true;

        using var second = await cache.LeaseAsync("a:6", CancellationToken.None);

        Assert.NotSame(first.Value, second.Value);
        Assert.Equal(6, cache.Bytes);
    }

    [Fact]
    public async Task Closing_unloads_everything()
    {
        var cache = Cache(budget: 10);
        (await cache.LeaseAsync("a:1", CancellationToken.None)).Dispose();
        (await cache.LeaseAsync("b:1", CancellationToken.None)).Dispose();

        await cache.DisposeAsync();

        Assert.Equal(["a:1", "b:1"], _unloaded.Order());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.LeaseAsync("a:1", CancellationToken.None));
    }

    [Fact]
    public async Task A_slow_load_keeps_no_other_model_waiting()
    {
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cache = Cache(budget: 10, before: key => key == "slow" ? slow.Task : Task.CompletedTask);

        var waiting = cache.LeaseAsync("slow", CancellationToken.None);
        using var quick = await cache.LeaseAsync("quick", CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        Assert.False(waiting.IsCompleted);
        Assert.Equal([("slow", RunningState.Loading), ("quick", RunningState.Ready)], cache.List().Select(view => (view.Key, view.State)));
        slow.SetResult();
        using var lease = await waiting;
    }

    [Fact]
    public async Task Loads_side_by_side_do_not_take_the_same_room()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cache = Cache(budget: 10, before: _ => gate.Task);

        var both = new[] { cache.LeaseAsync("a:6", CancellationToken.None), cache.LeaseAsync("b:6", CancellationToken.None) };
        gate.SetResult();
        await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);

        var (there, refused) = both[0].IsCompletedSuccessfully ? (both[0], both[1]) : (both[1], both[0]);
        Assert.Equal("needs 6, holds 6, budget 10", (await Assert.ThrowsAsync<InvalidOperationException>(() => refused)).Message);
        (await there).Dispose();
        Assert.Equal(6, cache.Bytes);
    }

    [Fact]
    public async Task Nothing_is_unloaded_for_what_would_not_fit_then_either()
    {
        await using var cache = Cache(budget: 10);
        (await cache.LeaseAsync("idle:3", CancellationToken.None)).Dispose();
        using var used = await cache.LeaseAsync("used:4", CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.LeaseAsync("large:7", CancellationToken.None));
        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.LeaseAsync("huge:11", CancellationToken.None));

        Assert.Empty(_unloaded);
    }

    [Fact]
    public async Task A_pinned_value_makes_no_room_until_it_is_unpinned()
    {
        await using var cache = Cache(budget: 10);
        (await cache.LeaseAsync("a:6", CancellationToken.None, pinned: true)).Dispose();

        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.LeaseAsync("b:6", CancellationToken.None));
        (await cache.LeaseAsync("a:6", CancellationToken.None, pinned: false)).Dispose();
        using var lease = await cache.LeaseAsync("b:6", CancellationToken.None);

        Assert.Equal(["a:6 MadeRoom"], _reasons);
    }

    [Fact]
    public async Task An_idle_value_stays_as_long_as_it_was_asked_to()
    {
        await using var cache = Cache(budget: 10);
        var lease = await cache.LeaseAsync("a", CancellationToken.None, new KeepAlive(TimeSpan.FromSeconds(60)));
        (await cache.LeaseAsync("b", CancellationToken.None)).Dispose();
        _clock.Advance(TimeSpan.FromSeconds(100));
        cache.Sweep(); // in use
        lease.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(59));
        cache.Sweep();
        var views = cache.List().ToDictionary(view => view.Key);

        Assert.Equal((TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(1)), (views["a"].Idle, views["a"].Left));
        Assert.Null(views["b"].Left);
        Assert.Empty(_reasons);
        _clock.Advance(TimeSpan.FromSeconds(1));
        cache.Sweep();
        await cache.DisposeAsync();
        Assert.Equal(["a Expired", "b Closing"], _reasons.Order());
    }

    [Fact]
    public async Task One_that_is_to_go_goes_when_its_last_user_leaves_and_is_loaded_again_for_the_next()
    {
        await using var cache = Cache(budget: 10);
        var first = await cache.LeaseAsync("a:6", CancellationToken.None);
        var second = await cache.LeaseAsync("a:6", CancellationToken.None);

        cache.Unload(key => key == "a:6", UnloadReason.Asked);
        first.Dispose();
        Assert.Equal(RunningState.Unloading, Assert.Single(cache.List()).State);
        Assert.Empty(_unloaded);
        second.Dispose();
        using var again = await cache.LeaseAsync("a:6", CancellationToken.None);

        Assert.Equal(["a:6 Asked"], _reasons);
        Assert.NotSame(first.Value, again.Value);
        Assert.Equal(["a:6", "a:6"], _loaded);
    }

    [Fact]
    public async Task One_that_somebody_asks_for_meanwhile_stays()
    {
        await using var cache = Cache(budget: 10);
        var first = await cache.LeaseAsync("a", CancellationToken.None);
        cache.Unload(_ => true, UnloadReason.Asked);
        (await cache.LeaseAsync("a", CancellationToken.None)).Dispose();
        first.Dispose();

        Assert.Equal(RunningState.Ready, Assert.Single(cache.List()).State);
        Assert.Equal(["a"], _loaded);
    }

    /// <summary>A key <c>name:bytes</c> loads a thing that takes so many bytes; without a number one byte.</summary>
    private LoadOnceCache<string, Thing> Cache(long budget, Func<string, Task>? before = null) => new(
        new LoadRules<string, Thing>(
            async (key, _, _) =>
            {
                await (before?.Invoke(key) ?? Task.CompletedTask);
                var bytes = key.Split(':') is [_, var number] ? long.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : 1;
                return new LoadPlan<Thing>(bytes, () =>
                {
                    lock (_loaded)
                    {
                        _loaded.Add(key);
                    }

                    return new Thing(key, _unloaded);
                });
            },
            (needed, held, max) => new InvalidOperationException($"needs {needed}, holds {held}, budget {max}"),
            thing => thing.HasEnded,
            (key, _, reason) =>
            {
                lock (_reasons)
                {
                    _reasons.Add($"{key} {reason}");
                }
            }),
        budget,
        new KeepAlive(null),
        _clock);

    private sealed class Thing(string name, List<string> unloaded) : IAsyncDisposable
    {
        public string Name { get; } = name;

        public bool HasEnded { get; set; }

        public ValueTask DisposeAsync()
        {
            unloaded.Add(Name);
            return ValueTask.CompletedTask;
        }
    }
}
