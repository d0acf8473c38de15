namespace LlmOs.Infrastructure.Compute;

/// <summary>
/// Tells everybody in this process that the host is going to stop. From then on new work is refused, jobs are given
/// back, and requests that only watch are answered with what there is.
/// </summary>
public sealed class HostDrain : IDisposable
{
    private readonly CancellationTokenSource _draining = new();

    /// <summary>Fires once, when the host begins to stop.</summary>
    public CancellationToken Draining => _draining.Token;

    public bool IsDraining => _draining.IsCancellationRequested;

    public void Begin() => _draining.Cancel();

    public void Dispose() => _draining.Dispose();
}
