namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>A clock that somebody sets, while time itself goes on as ever.</summary>
internal sealed class JumpingClock(TimeSpan ahead = default) : TimeProvider
{
    private TimeSpan _ahead = ahead;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _ahead;

    public void Jump(TimeSpan by) => _ahead += by;
}
