using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>What a scripted job is asked for.</summary>
internal sealed record ScriptSpec(string Name);

/// <summary>A runner that does what the test says.</summary>
internal sealed class Script(Func<JobContext, CancellationToken, Task<JobPublish>> run) : JobKind<ScriptSpec>
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Pausable { get; init; }

    public bool Repeatable { get; init; } = true;

    public Task Started => _started.Task;

    /// <summary>Ends when the run has been asked to stop.</summary>
    public Task Stopped => _stopped.Task;

    public override string Word => "made";

    public override bool CanPause => Pausable;

    public override bool CanRepeat => Repeatable;

    protected override Task<JobPublish> RunAsync(JobContext job, ScriptSpec request, CancellationToken cancel)
    {
        cancel.Register(() => _stopped.TrySetResult());
        _started.TrySetResult();
        return run(job, cancel);
    }
}

/// <summary>A host with the loop and a store of its own.</summary>
internal sealed class LoopHost : IAsyncDisposable
{
    private readonly TempFolder _temp = new();
    private readonly JobSignal _signal = new();
    private readonly ServiceProvider _services;
    private readonly JobLoop _loop;
    private readonly JobWatch _watch;
    private readonly JobSpecs _specs;

    /// <param name="ofLoop">The database as the loop sees it; null: as the test does.</param>
    public LoopHost(TestDatabase database, JobKind kind, TestDatabase? ofLoop = null)
    {
        Database = database;
        Folder = new DataFolder(_temp.At("data"));
        _services = new ServiceCollection().AddSingleton(kind).BuildServiceProvider();
        var rules = Options.Create(new JobOptions { RetrySeconds = 0.1 });
        Store = new ArtifactStore(Folder);
        Leases = new JobLeases(ofLoop ?? database, new NodeIdentity(), new SharedClock(TimeProvider.System), TimeProvider.System, _signal, rules);
        _specs = new JobSpecs(Store);
        _watch = new JobWatch(database, _signal, _specs, Drain, TimeProvider.System);
        _loop = new JobLoop(
            _services.GetRequiredService<IServiceScopeFactory>(), Leases, _signal, database.Settings, Folder, Store, _specs, Drain, rules, TimeProvider.System, NullLogger<JobLoop>.Instance);
    }

    public TestDatabase Database { get; }

    public DataFolder Folder { get; }

    public ArtifactStore Store { get; }

    public JobLeases Leases { get; }

    public HostDrain Drain { get; } = new();

    public Task StartAsync() => _loop.StartAsync(CancellationToken.None);

    public Task StopAsync() => _loop.StopAsync(CancellationToken.None);

    public async Task<string> SubmitAsync(string name) =>
        (await new JobQueue(Database, TimeProvider.System, _signal, _specs).SubmitAsync("made", null, new ScriptSpec(name), 0, [], CancellationToken.None)).Id;

    public Task<JobView> FinishAsync(string id) => _watch.UntilOverAsync(id, TimeSpan.FromMinutes(1), CancellationToken.None);

    public Task<Job> FindAsync(string id) => _watch.FindAsync(id, CancellationToken.None);

    public async Task UntilAsync(string id, JobState state)
    {
        while ((await FindAsync(id)).State != state)
        {
            await JobSignal.WaitAsync(_signal.Next, TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public async Task<List<string>> LogAsync(string id) => [.. (await _watch.LogAsync(id, 0, 100, CancellationToken.None)).Select(l => l.Text)];

    public async Task ChangeAsync(string id, Action<Job> change)
    {
        await using var db = Database.CreateDbContext();
        change(await db.Jobs.SingleAsync(j => j.Id == id));
        await db.SaveChangesAsync();
        _signal.Raise();
    }

    public Task<List<string>> PublishedAsync() => Publications.OfAsync(Database);

    public async ValueTask DisposeAsync()
    {
        await _loop.StopAsync(CancellationToken.None);
        _loop.Dispose();
        await _services.DisposeAsync();
        Drain.Dispose();
        _temp.Dispose();
    }
}
