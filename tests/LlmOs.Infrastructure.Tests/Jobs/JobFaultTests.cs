using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Npgsql;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>What a run did is kept while the database is away, and what keeps a run from beginning is named.</summary>
public sealed class JobFaultTests(TestDatabases databases)
{
    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Lines_of_the_log_wait_for_a_database_that_is_away(Provider provider)
    {
        var (away, database) = (new Away(), await databases.NewAsync(provider));
        await using var host = new LoopHost(database, new Script(async (job, cancel) =>
        {
            job.Log(JobLogLevel.Info, Codes.Say("before"));
            await away.RefusesAsync(12, cancel); // longer than lines are held back for
            job.Log(JobLogLevel.Info, Codes.Say("after"));
            return Publications.Publish("made");
        }), away.Before(database));
        await host.StartAsync();

        var job = await host.FinishAsync(await host.SubmitAsync("made"));

        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Equal(["before", "after"], await host.LogAsync(job.Id));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_result_of_a_run_waits_for_a_database_that_is_away(Provider provider)
    {
        var (away, database) = (new Away(), await databases.NewAsync(provider));
        await using var host = new LoopHost(database, new Script((_, _) =>
        {
            away.Refuse(3);
            return Task.FromResult(Publications.Publish("made"));
        }), away.Before(database));
        await host.StartAsync();

        var job = await host.FinishAsync(await host.SubmitAsync("made"));

        Assert.Equal((JobState.Succeeded, 1), (job.State, job.Attempt));
        Assert.Equal(["made"], await host.PublishedAsync());
    }

    [Fact]
    public async Task A_run_whose_folders_cannot_be_made_ends_with_that_and_not_as_if_its_host_were_lost()
    {
        await using var host = new LoopHost(await databases.NewAsync(Provider.Sqlite), new Script((_, _) => Task.FromResult(Publications.Publish("made"))));
        Directory.Delete(host.Folder.Scratch);
        await File.WriteAllTextAsync(host.Folder.Scratch, "in the way", TestContext.Current.CancellationToken);
        await host.StartAsync();

        var job = await host.FinishAsync(await host.SubmitAsync("made"));

        Assert.Equal((JobState.Failed, "unavailable"), (job.State, job.Error?.Code));
        Assert.Contains("folders of this run", job.Error?.Message, StringComparison.Ordinal);
        Assert.Empty(await host.PublishedAsync());
    }

    [Theory]
    [InlineData(13, ErrorCode.OutOfDisk)]
    [InlineData(5, ErrorCode.Unavailable)]
    [InlineData(10, ErrorCode.Unavailable)]
    public void A_fault_of_the_database_is_named(int sqlite, ErrorCode code)
    {
        var fault = new InvalidOperationException("wrapped", new Microsoft.Data.Sqlite.SqliteException("x", sqlite));

        Assert.Equal(code, DatabaseFaults.AsRefusal(fault)?.Code);
        Assert.Equal(code.ToWord(), JobErrors.Of(fault).Code);
        Assert.Null(DatabaseFaults.AsRefusal(new InvalidOperationException("a bug")));
    }

    /// <summary>A database that refuses for a while.</summary>
    private sealed class Away
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left;

        public TestDatabase Before(TestDatabase database) => new(() => Refuses() ? throw new NpgsqlException("The machine is away.") : database.CreateDbContext(), database.Settings);

        public void Refuse(int times)
        {
            lock (_gate)
            {
                (_left, _over) = (times, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }
        }

        /// <summary>Ends when it was asked so often.</summary>
        public Task RefusesAsync(int times, CancellationToken cancel)
        {
            Refuse(times);
            return _over.Task.WaitAsync(cancel);
        }

        private bool Refuses()
        {
            lock (_gate)
            {
                if (_left == 0)
                {
                    return false;
                }

                if (--_left == 0)
                {
                    _over.SetResult();
                }

                return true;
            }
        }
    }
}
