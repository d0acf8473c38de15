using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Storage;

/// <summary>What nothing refers to goes, once it is old enough; what somebody is about to refer to stays.</summary>
public sealed class CollectorTests(TestDatabases databases) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly TempFolder _temp = new();
    private TestDatabase _database = null!;
    private DataFolder _folder = null!;
    private ArtifactStore _store = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await databases.NewAsync(Provider.Sqlite);
        _folder = new DataFolder(_temp.At("data"));
        _store = new ArtifactStore(_folder);
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _temp.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(Provider.Sqlite)]
    [InlineData(Provider.Postgres)]
    public async Task A_blob_that_no_column_names_goes_after_the_grace_period(Provider provider)
    {
        _database = await databases.NewAsync(provider);
        var used = await PutAsync("used", hoursOld: 5);
        var old = await PutAsync("old", hoursOld: 5);
        var young = await PutAsync("young", hoursOld: 0);
        await using (var db = _database.CreateDbContext())
        {
            db.Add(NewUpload("upload_1", used));
            await db.SaveChangesAsync();
        }

        var preview = await Collector().CollectAsync(dryRun: true, CancellationToken.None);
        Assert.True(_store.Contains(old));
        var report = await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Equal([true, false, true], [_store.Contains(used), _store.Contains(old), _store.Contains(young)]);
        Assert.Equal(new CollectedView("blobs", 1, 3) { SetAside = true }, report.Items.Single(i => i.What == "blobs"));
        Assert.Equal((0, 0), (preview.FreedBytes, report.FreedBytes));
        Assert.Equal([old], Directory.GetFiles(_folder.Quarantine).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_was_set_aside_is_deleted_after_its_time_or_at_once_when_asked()
    {
        var first = await PutAsync("first", hoursOld: 5);
        await Collector().CollectAsync(dryRun: false, CancellationToken.None);
        var second = await PutAsync("second", hoursOld: 5);
        await Collector().CollectAsync(dryRun: false, CancellationToken.None);
        Age(Path.Combine(_folder.Quarantine, first), hours: 80);

        var report = await Collector().CollectAsync(dryRun: false, CancellationToken.None);
        Assert.Equal(5, report.FreedBytes);
        Assert.Equal([second], Directory.GetFiles(_folder.Quarantine).Select(Path.GetFileName));

        var purge = await Collector().CollectAsync(dryRun: false, CancellationToken.None, purge: true);
        Assert.Equal(6, purge.FreedBytes);
        Assert.Empty(Directory.GetFiles(_folder.Quarantine));
    }

    [Fact]
    public async Task What_was_set_aside_comes_back_when_something_refers_to_it_again()
    {
        string[] blobs = [await PutAsync("by a row", hoursOld: 5), await PutAsync("by a check", hoursOld: 5), await PutAsync("by a new user", hoursOld: 5)];
        await Collector().CollectAsync(dryRun: false, CancellationToken.None);
        Assert.Equal([false, false, false], blobs.Select(_store.Contains));

        await using (var db = _database.CreateDbContext())
        {
            db.Add(NewUpload("upload_1", blobs[0]));
            await db.SaveChangesAsync();
        }

        await Collector().CollectAsync(dryRun: false, CancellationToken.None);
        await _store.VerifyAsync(blobs[1], CancellationToken.None);
        Assert.True(await _store.KeepAsync(blobs[2], CancellationToken.None));

        Assert.Equal([true, true, true], blobs.Select(_store.Contains));
        Assert.Empty(Directory.GetFiles(_folder.Quarantine));
    }

    /// <summary>As a database finds them that was restored from an old copy.</summary>
    [Fact]
    public async Task A_collection_that_would_take_most_files_stops_and_says_so()
    {
        for (var i = 0; i < 40; i++)
        {
            await PutAsync($"unknown {i}", hoursOld: 5);
        }

        var stopped = await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Contains("40 of the 40", stopped.Stopped, StringComparison.Ordinal);
        Assert.Equal(40, _store.Blobs().Count());
        await Collector().CollectAsync(dryRun: false, CancellationToken.None, force: true);
        Assert.Empty(_store.Blobs());
    }

    [Fact]
    public async Task Nothing_is_collected_from_a_restored_store_before_it_was_verified()
    {
        var old = await PutAsync("old", hoursOld: 5);
        await using (var db = _database.CreateDbContext())
        {
            db.Add(new StoreRecord { Id = "restored", CreatedAt = Now, UnverifiedSince = Now });
            await db.SaveChangesAsync();
        }

        var report = await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Contains("has not been verified", report.Stopped, StringComparison.Ordinal);
        Assert.True(_store.Contains(old));
    }

    [Fact]
    public async Task Nothing_newer_than_the_oldest_running_job_goes()
    {
        var before = await PutAsync("before the job", hoursOld: 9);
        var since = await PutAsync("since the job", hoursOld: 2);
        await using (var db = _database.CreateDbContext())
        {
            db.Add(Job.Submit("import", "{}", 0, Now));
            await db.SaveChangesAsync();
            var started = Now.AddHours(-3);
            await db.Jobs.ExecuteUpdateAsync(set => set.SetProperty(j => j.State, JobState.Running).SetProperty(j => j.StartedAt, started));
        }

        await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Equal([false, true], [_store.Contains(before), _store.Contains(since)]);
    }

    [Fact]
    public async Task A_blob_that_is_put_or_kept_again_counts_as_new()
    {
        var put = await PutAsync("put again", hoursOld: 5);
        var kept = await PutAsync("kept again", hoursOld: 5);

        await _store.PutAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes("put again")), CancellationToken.None);
        Assert.True(await _store.KeepAsync(kept, CancellationToken.None));
        await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Equal([true, true], [_store.Contains(put), _store.Contains(kept)]);
        Assert.False(await _store.KeepAsync(new string('0', 64), CancellationToken.None));
    }

    /// <summary>Puts and collections of two hosts, which share only the folder, race for the same few blobs.</summary>
    [Fact]
    public async Task A_blob_is_never_deleted_under_who_has_just_put_it()
    {
        using var other = new ArtifactStore(_folder);
        var contents = Enumerable.Range(0, 4).Select(i => System.Text.Encoding.UTF8.GetBytes($"content {i}")).ToArray();
        var lost = 0;
        using var stop = new CancellationTokenSource();
        var collecting = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var blob in other.Blobs().ToList())
                {
                    await other.SetAsideAsync(blob.Name, TimeProvider.System.GetUtcNow().AddSeconds(-1), CancellationToken.None);
                }
            }
        }, CancellationToken.None);
        for (var round = 0; round < 200; round++)
        {
            var blob = await _store.PutAsync(new MemoryStream(contents[round % 4]), CancellationToken.None);
            if (!_store.Contains(blob.Sha256))
            {
                lost++;
            }

            Age(_store.PathOf(blob.Sha256), hours: 1); // so that the next collection may take it
        }

        await stop.CancelAsync();
        await collecting;
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task Interrupted_writes_and_dead_attempts_go_and_what_a_retry_needs_stays()
    {
        Write(Path.Combine(_folder.Blobs, ".0123.tmp"), hours: 5);
        Write(Path.Combine(_folder.Scratch, "job_dead-1", "weights"), hours: 5);
        Write(Path.Combine(_folder.Scratch, "job_live-2", "weights"), hours: 5);
        Write(Path.Combine(_folder.Jobs, "job_gone", "pull"), hours: 5);
        Write(Path.Combine(_folder.Jobs, "job_failed", "pull"), hours: 5);
        Write(Path.Combine(_folder.Jobs, "job_forgotten", "pull"), hours: 5);
        await using (var db = _database.CreateDbContext())
        {
            await AddJobAsync(db, "job_dead", JobState.Queued, attempt: 1, finished: null);
            await AddJobAsync(db, "job_live", JobState.Running, attempt: 2, finished: null);
            await AddJobAsync(db, "job_failed", JobState.Failed, attempt: 1, finished: Now.AddDays(-1));
            await AddJobAsync(db, "job_forgotten", JobState.Failed, attempt: 1, finished: Now.AddDays(-30));
        }

        await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        Assert.Empty(Directory.GetFiles(_folder.Blobs));
        Assert.Equal(["job_live-2"], Names(_folder.Scratch));
        Assert.Equal(["job_failed"], Names(_folder.Jobs));
    }

    [Fact]
    public async Task Uploads_that_nobody_goes_on_with_are_forgotten()
    {
        Write(Path.Combine(_folder.Uploads, "upload_old"), hours: 5);
        Write(Path.Combine(_folder.Uploads, "upload_now"), hours: 5);
        Write(Path.Combine(_folder.Uploads, "upload_unknown"), hours: 5);
        await using (var db = _database.CreateDbContext())
        {
            db.AddRange(NewUpload("upload_old", null, touched: Now.AddDays(-30)), NewUpload("upload_now", null));
            await db.SaveChangesAsync();
        }

        await Collector().CollectAsync(dryRun: false, CancellationToken.None);

        await using var after = _database.CreateDbContext();
        Assert.Equal(["upload_now"], Directory.GetFiles(_folder.Uploads).Select(Path.GetFileName));
        Assert.Equal(["upload_now"], await after.Uploads.Select(u => u.Id).ToListAsync());
    }

    [Fact]
    public void Every_table_that_holds_blobs_is_known_by_its_column()
    {
        using var db = _database.CreateDbContext();

        var columns = BlobColumns.Of(db.Model).ToList();

        Assert.Contains(("model_files", "sha256"), columns);
        Assert.Contains(("uploads", "sha256"), columns);
        Assert.DoesNotContain(columns, c => c.Column == "expected_hash");
    }

    private Collector Collector()
    {
        var options = Options.Create(new CollectorOptions());
        return new Collector(
            _database, [new UnusedBlobs(_store, options), new Quarantine(_store, options), new Leftovers(_store), new ForgottenUploads(_folder, options), new JobLeftovers(_folder, options)], options, TimeProvider.System, NullLogger<Collector>.Instance);
    }

    private async Task<string> PutAsync(string content, int hoursOld)
    {
        var blob = await _store.PutAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)), CancellationToken.None);
        Age(_store.PathOf(blob.Sha256), hoursOld);
        return blob.Sha256;
    }

    private static Upload NewUpload(string id, string? sha256, DateTimeOffset? touched = null) => new()
    {
        Id = id,
        FileName = "f",
        Bytes = 4,
        Sha256 = sha256,
        State = sha256 is null ? UploadState.Receiving : UploadState.Finished,
        CreatedAt = Now,
        TouchedAt = touched ?? Now,
    };

    private static async Task AddJobAsync(LlmOsDb db, string id, JobState state, int attempt, DateTimeOffset? finished)
    {
        db.Add(new Job { Id = id, Kind = "import", Spec = "{}", CreatedAt = Now });
        await db.SaveChangesAsync();
        await db.Jobs.Where(j => j.Id == id).ExecuteUpdateAsync(set => set.SetProperty(j => j.State, state).SetProperty(j => j.Attempt, attempt).SetProperty(j => j.FinishedAt, finished));
    }

    private static void Write(string path, int hours)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "left");
        Age(path, hours);
        Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(path)!, Now.AddHours(-hours).UtcDateTime);
    }

    private static void Age(string path, int hours)
    {
        if (File.Exists(path))
        {
            try
            {
                File.SetLastWriteTimeUtc(path, Now.AddHours(-hours).UtcDateTime);
            }
            catch (FileNotFoundException)
            {
                // Collected in the meantime.
            }
        }
    }

    private static IEnumerable<string> Names(string folder) => Directory.GetDirectories(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);
}
