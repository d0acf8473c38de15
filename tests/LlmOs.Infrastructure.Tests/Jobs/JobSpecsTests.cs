using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>Large specifications: in a blob, whole when one job is read, and no part of a list.</summary>
public sealed class JobSpecsTests(TestDatabases databases) : IDisposable
{
    private const int Jobs = 12;
    private const int LargeBytes = 14_000_000;

    private readonly TempFolder _temp = new();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Twelve_jobs_of_14_MB_are_listed_without_reading_what_was_asked_of_them(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var (queue, _) = Queue(database);
        var rows = new string('r', LargeBytes);
        for (var i = 0; i < Jobs; i++)
        {
            await queue.SubmitAsync("made", $"m{i}", new { rows, i }, 0, [], Cancel);
        }

        await using var db = database.CreateDbContext();
        var list = db.Jobs.OrderBy(j => j.Seq).Select(JobHead.Columns);
        var jobs = await list.ToListAsync(Cancel);

        Assert.DoesNotContain("spec", list.ToQueryString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("result", list.ToQueryString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(Enumerable.Range(0, Jobs).Select(i => $"m{i}"), jobs.Select(j => j.Subject));
        Assert.InRange(JsonBytes(jobs.Select(j => j.ToView())), 1, 1_000 * Jobs);
        Assert.Equal(0, await db.Jobs.SumAsync(j => j.Spec.Length, Cancel)); // the rows themselves are small
        var last = await queue.GetAsync(jobs[^1].Id, Cancel);
        Assert.Equal((LargeBytes, Jobs - 1), (last.Spec.GetProperty("rows").GetString()!.Length, last.Spec.GetProperty("i").GetInt32()));
    }

    [Fact]
    public async Task A_large_specification_keeps_its_blob_alive_until_its_job_is_gone()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var (queue, store) = Queue(database);
        var job = await queue.SubmitAsync("made", null, new { model = "tiny:1", rows = new string('r', JobSpecs.MaxRowBytes) }, 0, [], Cancel);

        await using var db = database.CreateDbContext();
        var blob = Assert.Single(await BlobColumns.ReadAsync(db, Cancel));
        Assert.True(store.Contains(blob));
        Assert.Equal([job.Id], await new JobSpecs(store).UnfinishedAsync(db, "tiny", Cancel).Select(j => j.Id).ToListAsync(Cancel)); // what it names is still found
        Assert.Empty(await new JobSpecs(store).UnfinishedAsync(db, "other", Cancel).ToListAsync(Cancel));

        await db.Jobs.ExecuteDeleteAsync(Cancel);
        Assert.Empty(await BlobColumns.ReadAsync(db, Cancel));
    }

    [Fact]
    public async Task A_small_specification_lies_in_the_row_and_a_lost_blob_is_said()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var (queue, store) = Queue(database);
        var small = await queue.SubmitAsync("made", null, new { name = "x" }, 0, [], Cancel);
        var large = await queue.SubmitAsync("made", null, new { rows = new string('r', JobSpecs.MaxRowBytes) }, 0, [], Cancel);

        await using var db = database.CreateDbContext();
        var rows = await db.Jobs.AsNoTracking().OrderBy(j => j.Seq).ToListAsync(Cancel);
        Assert.Equal(("""{"name":"x"}""", null), (rows[0].Spec, rows[0].SpecSha256));
        File.Delete(store.PathOf(rows[1].SpecSha256!));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await queue.GetAsync(large.Id, Cancel)).Spec.ValueKind);
        Assert.Equal(ErrorCode.MissingFile, (await Assert.ThrowsAsync<LlmOsException>(() => new JobSpecs(store).OpenAsync(rows[1], Cancel))).Code);
        Assert.Equal("x", (await queue.GetAsync(small.Id, Cancel)).Spec.GetProperty("name").GetString());
    }

    private static int JsonBytes(IEnumerable<JobView> jobs) => Encoding.UTF8.GetByteCount(System.Text.Json.JsonSerializer.Serialize(jobs, LlmOsJson.Options));

    private (JobQueue Queue, ArtifactStore Store) Queue(TestDatabase database)
    {
        var store = new ArtifactStore(new DataFolder(_temp.At("data")));
        return (new JobQueue(database, TimeProvider.System, new JobSignal(), new JobSpecs(store)), store);
    }
}
