namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>Cuts an operation off at its n-th look at the time.</summary>
internal sealed class CuttingClock(TimeProvider clock, int at, CancellationTokenSource stop) : TimeProvider
{
    private int _looks;

    public override DateTimeOffset GetUtcNow()
    {
        if (++_looks == at)
        {
            stop.Cancel();
        }

        return clock.GetUtcNow();
    }
}
