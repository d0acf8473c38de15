namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>Cuts an operation off at its n-th look at the time.</summary>
internal sealed class CuttingClock(TimeProvider clock, int at, CancellationTokenSource stop) : TimeProvider
{
    private int _looks;

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow()
    {
        Look();
        return clock.GetUtcNow();
    }

    public override long GetTimestamp()
    {
        Look();
        return clock.GetTimestamp();
    }

    private void Look()
    {
        if (++_looks == at)
        {
            stop.Cancel();
        }
    }
}
