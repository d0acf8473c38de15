using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Infrastructure.Tests.Jobs;

public class JobTests
{
    private static readonly DateTimeOffset Now = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    [Fact]
    public void A_job_that_succeeded_stays_so()
    {
        foreach (var to in Enum.GetValues<JobState>())
        {
            Assert.False(Job.MayStep(JobState.Succeeded, to));
        }
    }

    [Theory]
    [InlineData(JobState.Queued, JobState.Succeeded)]
    [InlineData(JobState.Paused, JobState.Running)]
    [InlineData(JobState.Failed, JobState.Running)]
    [InlineData(JobState.Cancelled, JobState.Succeeded)]
    public void A_result_comes_from_a_run_alone(JobState from, JobState to) => Assert.False(Job.MayStep(from, to));

    [Fact]
    public void A_waiting_job_is_cancelled_at_once_and_twice_is_as_good_as_once()
    {
        var job = Waiting();

        job.Cancel(Now);
        job.Cancel(Now.AddHours(1));

        Assert.Equal(JobState.Cancelled, job.State);
        Assert.Equal(Now, job.FinishedAt);
    }

    [Fact]
    public void A_waiting_job_of_any_kind_can_rest_and_go_on()
    {
        var job = Waiting();

        job.Pause(kindCanPause: false);
        Assert.Equal(JobState.Paused, job.State);
        job.Resume();

        Assert.Equal(JobState.Queued, job.State);
    }

    [Fact]
    public void Only_a_resting_job_is_resumed()
    {
        var refusal = Assert.Throws<LlmOsException>(Waiting().Resume);

        Assert.Equal(ErrorCode.Conflict, refusal.Code);
    }

    [Fact]
    public void A_retry_starts_from_a_clean_row()
    {
        var job = Waiting();
        job.Cancel(Now);

        job.Retry();

        Assert.Equal(JobState.Queued, job.State);
        Assert.False(job.CancelRequested);
        Assert.Null(job.FinishedAt);
    }

    [Fact]
    public void A_waiting_job_is_not_retried()
    {
        var refusal = Assert.Throws<LlmOsException>(Waiting().Retry);

        Assert.Equal(ErrorCode.Conflict, refusal.Code);
    }

    private static Job Waiting() => Job.Submit("import", "{}", 0, Now);
}
