using System.Net;
using System.Threading.RateLimiting;

namespace LlmOs.Server.Http;

/// <summary>
/// How many wrong keys and passwords an address may hand in at the login. Right ones are not counted: whoever has one may sign in as
/// often as they like, and whoever guesses is held up, with a right one too.
/// </summary>
internal sealed class WrongSecrets : IDisposable
{
    public const int AMinute = 10;

    private readonly PartitionedRateLimiter<IPAddress> _limits = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
        RateLimitPartition.GetFixedWindowLimiter(address, _ => new FixedWindowRateLimiterOptions { PermitLimit = AMinute, Window = TimeSpan.FromMinutes(1) }));

    /// <summary>True while this address has to wait.</summary>
    public bool AreTooMany(IPAddress? address)
    {
        using var lease = _limits.AttemptAcquire(address ?? IPAddress.None, permitCount: 0);
        return !lease.IsAcquired;
    }

    public void Count(IPAddress? address) => _limits.AttemptAcquire(address ?? IPAddress.None).Dispose();

    public void Dispose() => _limits.Dispose();
}
