using System.Threading.RateLimiting;

namespace LlmOs.Infrastructure.Access;

/// <summary>
/// Limits guessing: how many wrong keys and passwords an address may send to the login, and a user to the change of their own
/// password. Right ones are not counted. At the limit right ones are refused too, so that a guess tells nothing.
/// </summary>
public sealed class WrongSecrets : IDisposable
{
    public const int AMinute = 10;

    private readonly PartitionedRateLimiter<string> _limits = PartitionedRateLimiter.Create<string, string>(who =>
        RateLimitPartition.GetFixedWindowLimiter(who, _ => new FixedWindowRateLimiterOptions { PermitLimit = AMinute, Window = TimeSpan.FromMinutes(1) }));

    /// <summary>True while this one has to wait.</summary>
    /// <param name="who">An address, or a user's id.</param>
    public bool AreTooMany(string who)
    {
        using var lease = _limits.AttemptAcquire(who, permitCount: 0);
        return !lease.IsAcquired;
    }

    public void Count(string who) => _limits.AttemptAcquire(who).Dispose();

    public void Dispose() => _limits.Dispose();
}
