using System.Threading.RateLimiting;

namespace LlmOs.Infrastructure.Access;

/// <summary>
/// How many wrong keys and passwords an address may hand in at the login, and a user at the change of the own password. Right
/// ones are not counted: whoever has one may sign in as often as they like, and whoever guesses is held up, with a right one too.
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
