using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Jobs;

public class JobRetryTests
{
    private static readonly JobOptions Rules = new() { RetrySeconds = 2, MaxAttempts = 12 };

    [Fact]
    public void What_may_pass_is_told_from_what_will_not()
    {
        Assert.True(JobRetry.IsPassing(new LlmOsException(ErrorCode.Unavailable, "")));
        Assert.True(JobRetry.IsPassing(new HttpRequestException("")));
        Assert.True(JobRetry.IsPassing(new DbUpdateException("", new SqliteException("busy", 5))));

        Assert.False(JobRetry.IsPassing(new LlmOsException(ErrorCode.CorruptFile, "")));
        Assert.False(JobRetry.IsPassing(new LlmOsException(ErrorCode.OutOfMemory, "")));
        Assert.False(JobRetry.IsPassing(new LlmOsException(ErrorCode.TrainerCrashed, ""))); // its runner has tried again already
        Assert.False(JobRetry.IsPassing(new DbUpdateException("", new SqliteException("constraint", 19))));
        Assert.False(JobRetry.IsPassing(new InvalidOperationException()));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 4)]
    [InlineData(4, 32)]
    [InlineData(9, 300)]
    public void Each_pause_is_twice_the_last_and_none_is_longer_than_five_minutes(int failuresBefore, double seconds) =>
        Assert.Equal(seconds, JobRetry.After(failuresBefore, headway: 0, progress: 0, Rules).Pause?.TotalSeconds);

    [Fact]
    public void There_is_an_end_to_trying() => Assert.Null(JobRetry.After(11, headway: 0.5, progress: 0.5, Rules).Pause);

    [Fact]
    public void A_run_that_got_further_begins_the_count_again()
    {
        var backoff = JobRetry.After(11, headway: 0.2, progress: 0.25, Rules);

        Assert.Equal(new JobBackoff(1, 0.25, TimeSpan.FromSeconds(2)), backoff);
    }
}
