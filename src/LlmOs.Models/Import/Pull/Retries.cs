using System.Net;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Import.Pull;

/// <summary>A failure that may be gone the next time.</summary>
/// <param name="after">How long the host asked us to wait; null when it did not.</param>
internal sealed class TransientException(string message, TimeSpan? after = null, Exception? cause = null) : Exception(message, cause)
{
    public TimeSpan? After { get; } = after;
}

/// <summary>Counts what a piece of work brought; work that brings something may go on being retried.</summary>
internal sealed class Attempts
{
    public bool Progressed { get; set; }
}

/// <summary>Tries again what fails for reasons that pass: lost connections, 429 and 5xx. It waits as long as the host asks, else longer each time.</summary>
internal sealed class Retries(IOptions<PullOptions> options, TimeProvider clock)
{
    public async Task<T> RunAsync<T>(string host, Func<Attempts, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        var limits = options.Value;
        for (var failures = 0; ;)
        {
            var attempts = new Attempts();
            TransientException failure;
            try
            {
                return await work(attempts, cancel);
            }
            catch (TransientException transient)
            {
                failure = transient;
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException && !IsOurDisk(fault) && !cancel.IsCancellationRequested)
            {
                failure = new TransientException(fault.Message, cause: fault);
            }

            failures = attempts.Progressed ? 1 : failures + 1;
            var pause = failure.After ?? TimeSpan.FromMilliseconds(limits.FirstPauseMilliseconds * Math.Pow(2, Math.Min(failures - 1, 10)));
            if (failures >= limits.MaxAttempts || pause > TimeSpan.FromSeconds(limits.MaxPauseSeconds))
            {
                throw GiveUp(host, failure, pause, failures);
            }

            await Task.Delay(pause, clock, cancel);
        }
    }

    /// <summary>Throws for an answer that asks to come again later.</summary>
    public static void ThrowIfTransient(HttpResponseMessage response)
    {
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500)
        {
            var after = response.Headers.RetryAfter;
            var wait = after?.Delta ?? (after?.Date is { } date && response.Headers.Date is { } now && date > now ? date - now : null);
            throw new TransientException($"it answers {(int)response.StatusCode}", wait);
        }
    }

    private static LlmOsException GiveUp(string host, TransientException failure, TimeSpan pause, int tries)
    {
        var why = failure.After is null ? "" : $" and asks to wait {pause.TotalSeconds:0} s";
        return new LlmOsException(ErrorCode.Unavailable, $"{char.ToUpperInvariant(host[0])}{host[1..]} could not be read: {failure.Message}{why}.", failure)
        {
            Detail = tries > 1 ? $"It was tried {tries} times in a row." : null,
            Hint = "Retry the job later; what has been downloaded is kept and gone on from.",
        };
    }

    private static bool IsOurDisk(Exception fault) => fault is IOException io && Infrastructure.Storage.DiskSpace.IsFull(io);
}
