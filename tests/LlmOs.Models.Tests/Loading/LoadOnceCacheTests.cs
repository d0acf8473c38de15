using LlmOs.Models.Loading;

namespace LlmOs.Models.Tests.Loading;

public class LoadOnceCacheTests
{
    private readonly List<string> _loaded = [];
    private readonly List<string> _unloaded = [];

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

    /// <summary>A key <c>name:bytes</c> loads a thing that takes so many bytes; without a number one byte.</summary>
    private LoadOnceCache<string, Thing> Cache(long budget, Func<string, Task>? before = null) => new(
        async (key, _) =>
        {
            await (before?.Invoke(key) ?? Task.CompletedTask);
            var bytes = key.Split(':') is [_, var number] ? long.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : 1;
            return new LoadPlan<Thing>(bytes, () =>
            {
                _loaded.Add(key);
                return new Thing(key, _unloaded);
            });
        },
        (needed, held, max) => new InvalidOperationException($"needs {needed}, holds {held}, budget {max}"),
        thing => thing.HasEnded,
        budget);

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
