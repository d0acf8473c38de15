using System.Net.Sockets;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>What a run that failed for a passing reason leaves behind.</summary>
/// <param name="Failures">Failures in a row without headway, this one included.</param>
/// <param name="Headway">The furthest any broken run got.</param>
/// <param name="Pause">Until the next try; null when there have been enough.</param>
internal sealed record JobBackoff(int Failures, double Headway, TimeSpan? Pause);

/// <summary>Which failures are worth another try, and when.</summary>
internal static class JobRetry
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>True where the same run may well succeed later: the network, the database.</summary>
    public static bool IsPassing(Exception failure) => failure switch
    {
        LlmOsException refusal => refusal.Code is ErrorCode.Unavailable or ErrorCode.Overloaded,
        TimeoutException or HttpRequestException or SocketException => true,
        _ => DatabaseFaults.AsRefusal(failure)?.Code == ErrorCode.Unavailable,
    };

    /// <param name="failures">Failures in a row before this run.</param>
    /// <param name="headway">The furthest any broken run got before this one.</param>
    /// <param name="progress">How far this run came; further than any before means that the job gets on.</param>
    public static JobBackoff After(int failures, double headway, double progress, JobOptions options)
    {
        var count = progress > headway ? 1 : failures + 1;
        var pause = TimeSpan.FromSeconds(options.RetrySeconds * Math.Pow(2, Math.Min(count, 20) - 1));
        return new JobBackoff(
            count,
            Math.Max(progress, headway),
            count >= options.MaxAttempts ? null : pause < LongestPause ? pause : LongestPause);
    }
}
