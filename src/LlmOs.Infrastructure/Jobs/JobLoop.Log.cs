using LlmOs.Contracts;
using Microsoft.Extensions.Logging;

namespace LlmOs.Infrastructure.Jobs;

/// <content>What the loop writes into the server's log.</content>
internal sealed partial class JobLoop
{
    [LoggerMessage(LogLevel.Debug, "Job {Job} of kind {Kind} started, attempt {Attempt}")]
    private partial void LogStarted(string job, string kind, int attempt);

    [LoggerMessage(LogLevel.Debug, "Job {Job} left attempt {Attempt} as {State}")]
    private partial void LogEnded(string job, int attempt, JobState state);

    [LoggerMessage(LogLevel.Warning, "Job {Job} is no longer this host's; what attempt {Attempt} did is dropped")]
    private partial void LogLeaseLost(string job, int attempt);

    [LoggerMessage(LogLevel.Error, "Job {Job} failed at attempt {Attempt} for a reason that is no refusal")]
    private partial void LogFailed(Exception cause, string job, int attempt);

    [LoggerMessage(LogLevel.Error, "The end of job {Job}, attempt {Attempt}, could not be stored; its lease will run out")]
    private partial void LogAttemptBroke(Exception cause, string job, int attempt);

    [LoggerMessage(LogLevel.Warning, "The end of job {Job} could not be stored yet; it is tried again")]
    private partial void LogEndNotStored(Exception cause, string job);

    [LoggerMessage(LogLevel.Debug, "A folder of job {Job} could not be deleted; it is tried again later")]
    private partial void LogNotDeleted(Exception cause, string job);

    [LoggerMessage(LogLevel.Warning, "The lease of job {Job} could not be renewed; it is tried again")]
    private partial void LogRenewFailed(Exception cause, string job);

    [LoggerMessage(LogLevel.Warning, "The database did not answer when asked for jobs; it is asked again")]
    private partial void LogClaimFailed(Exception cause);
}
