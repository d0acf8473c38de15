using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>
/// Real hosts on a real database, killed with SIGKILL and held with SIGSTOP beyond their lease while they work through two
/// hundred jobs, in a long build two thousand. What was published is judged by what database and store hold in the end.
/// </summary>
public sealed class JobStormTests(TestDatabases databases)
{
#if LONG_TESTS
    private const int Jobs = 2_000;
    private const int MinMilliseconds = 0;
#else
    private const int Jobs = 200;
    private const int MinMilliseconds = 150; // so that a host that is struck has work in hand
#endif
    private const int Turns = 6;
    private const int Kills = 2;
    private const int Stops = 2;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    [Theory]
    [InlineData(Provider.Sqlite, 1, 5)]
    [InlineData(Provider.Postgres, 2, 7)]
    public async Task Jobs_publish_once_each_though_their_hosts_are_killed_and_held(Provider provider, int hosts, int seed)
    {
        using var temp = new TempFolder();
        var folder = new DataFolder(temp.At("data"));
        var database = await databases.NewAsync(provider, folder);
        var chance = new Random(seed);
        await SubmitAsync(database, chance);

        var storm = new Storm(database, folder, hosts, chance);
        try
        {
            await storm.RunAsync();
        }
        finally
        {
            storm.End();
        }

        await JudgeAsync(database, folder, seed);

        // With one host nobody takes a held host's jobs away; with two somebody must have come too late.
        Assert.True(hosts == 1 || storm.Refusals > 0, $"Seed {seed}: no stale attempt was refused, so nothing was shown.");
    }

    private static async Task SubmitAsync(TestDatabase database, Random chance)
    {
        await using var db = database.CreateDbContext();
        await db.Database.ExecuteSqlRawAsync(db.IsPostgres
            ? "create table tally (seq bigserial primary key, number int, job text, attempt int, node text, sha256 text)"
            : "create table tally (seq integer primary key, number int, job text, attempt int, node text, sha256 text)");
        db.AddRange(Enumerable.Range(0, Jobs).Select(number =>
        {
            var spec = new { number, milliseconds = MinMilliseconds + (chance.Next(20) == 0 ? 250 : chance.Next(25)) };
            return Job.Submit("tally", JsonSerializer.Serialize(spec), 0, DateTimeOffset.UnixEpoch);
        }));
        await db.SaveChangesAsync();
    }

    private static async Task JudgeAsync(TestDatabase database, DataFolder folder, int seed)
    {
        await using var db = database.CreateDbContext();
        var jobs = await db.Jobs.AsNoTracking().OrderBy(j => j.Seq).ToListAsync();
        var rows = await db.Database.SqlQueryRaw<Tally>("select number, job, attempt, node, sha256 from tally").ToListAsync();

        Assert.All(jobs, job => Assert.Equal(JobState.Succeeded, job.State));
        Assert.Equal(Enumerable.Range(0, Jobs), rows.Select(r => r.Number).Order());
        Assert.True(jobs.Any(j => j.Attempt > 1), $"Seed {seed}: no job was run again, so nothing was shown.");

        var published = rows.ToDictionary(r => r.Job);
        foreach (var job in jobs)
        {
            // The one publication is the last attempt's, and the job's result tells of the same.
            var (row, result) = (published[job.Id], JsonSerializer.Deserialize<JsonElement>(job.Result!));
            Assert.Equal((job.Attempt, job.Node), (row.Attempt, row.Node));
            Assert.Equal((row.Attempt, row.Sha256), (result.GetProperty("attempt").GetInt32(), result.GetProperty("sha256").GetString()));
        }

        // Each attempt's file is another, so the store shows whose files came in. A host that is killed between showing its
        // file and committing leaves one that nothing names: at most one for each turn of a killed host.
        var files = Directory.EnumerateFiles(folder.Blobs, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(rows.Select(r => r.Sha256).Except(files));
        Assert.InRange(files.Count - Jobs, 0, Kills * Turns);

        foreach (var history in await AttemptsAsync(db.JobEvents.Select(e => new Line(e.JobId, e.Seq, e.Attempt))))
        {
            Assert.Equal(history.Order(), history);
        }

        foreach (var log in await AttemptsAsync(db.JobLogs.Select(l => new Line(l.JobId, l.Seq, l.Attempt))))
        {
            Assert.Equal(log.Order(), log);
        }

        Assert.Equal(Jobs, await db.JobEvents.CountAsync(e => e.State == JobState.Succeeded));
    }

    /// <summary>The attempts of each job's lines, in the order in which they were written.</summary>
    private static async Task<IEnumerable<List<int>>> AttemptsAsync(IQueryable<Line> lines) =>
        (await lines.ToListAsync()).GroupBy(l => l.Job).Select(job => job.OrderBy(l => l.Seq).Select(l => l.Attempt).ToList());

    private sealed record Line(string Job, long Seq, int Attempt);

    private sealed class Tally
    {
        public int Number { get; init; }

        public string Job { get; init; } = "";

        public int Attempt { get; init; }

        public string Node { get; init; } = "";

        public string Sha256 { get; init; } = "";
    }

    /// <summary>Keeps so many hosts running, and strikes at one whenever another share of the jobs is done.</summary>
    private sealed class Storm(TestDatabase database, DataFolder folder, int hosts, Random chance)
    {
        private readonly List<JobHostProcess> _all = [];
        private readonly List<JobHostProcess> _live = [];
        private readonly long _began = Stopwatch.GetTimestamp();

        public int Refusals => _all.Sum(host => host.Refusals);

        public async Task RunAsync()
        {
            while (_live.Count < hosts)
            {
                Start();
            }

            bool[] strikes = [.. Enumerable.Repeat(true, Kills), .. Enumerable.Repeat(false, Stops)];
            chance.Shuffle(strikes);
            for (var strike = 0; strike < strikes.Length; strike++)
            {
                await UntilDoneAsync(Jobs * (strike + 1) / (strikes.Length + 1));
                var victim = _live[chance.Next(_live.Count)];
                if (strikes[strike])
                {
                    await victim.KillAsync();
                    _live.Remove(victim);
                    Start();
                }
                else
                {
                    await HoldAsync(victim);
                }
            }

            await UntilDoneAsync(Jobs);
            await WaitAsync("the last attempts end", async db => !await db.Jobs.AnyAsync(j => j.State != JobState.Succeeded));
        }

        public void End() => _all.ForEach(host => host.Dispose());

        private void Start()
        {
            var host = new JobHostProcess(folder, database.Settings, Lease, Turns);
            _all.Add(host);
            _live.Add(host);
        }

        /// <summary>Holds a host beyond its lease and, where there is another, until that one has taken a job of it.</summary>
        private async Task HoldAsync(JobHostProcess victim)
        {
            await WaitAsync("the host has said its name", _ => Task.FromResult(victim.Node is not null));
            var node = victim.Node!;
            victim.Stop();
            await using var db = database.CreateDbContext();
            var held = await db.Jobs.Where(j => j.Node == node && j.State == JobState.Running).Select(j => j.Id).ToListAsync();
            await Task.Delay(Lease * 1.5);
            if (hosts > 1 && held.Count > 0)
            {
                // Or not: a held host may have stopped within a transaction, and what that has locked is passed over.
                var began = Stopwatch.GetTimestamp();
                await WaitAsync(
                    "another host takes a held host's job",
                    async db => await db.Jobs.AnyAsync(j => held.Contains(j.Id) && j.Node != node) || Stopwatch.GetElapsedTime(began) > Lease * 8);
            }

            victim.Continue();
        }

        private Task UntilDoneAsync(int count) =>
            WaitAsync($"{count} jobs are done", async db => await db.Jobs.CountAsync(j => j.State == JobState.Succeeded) >= count);

        private async Task WaitAsync(string what, Func<LlmOsDb, Task<bool>> isSo)
        {
            await using var db = database.CreateDbContext();
            while (!await isSo(db))
            {
                Assert.True(Stopwatch.GetElapsedTime(_began) < Limit, $"Within {Limit} it did not come to this: {what}.\n{Outputs()}");
                Assert.True(_live.TrueForAll(host => host.IsAlive), $"A host ended by itself.\n{Outputs()}");
                await Task.Delay(Look);
            }
        }

        private string Outputs() => string.Join("\n\n", _all.Select(host => host.Output[..Math.Min(host.Output.Length, 4_000)]));
    }
}
