namespace LlmOs.Infrastructure;

/// <summary>
/// Tells everybody in this process that the host is going to stop. From then on new work is refused, jobs are given
/// back, and requests that only watch are answered with what there is. Answers that are not done after a while are cut off.
/// </summary>
public sealed class HostDrain : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _cutOff = new();

    /// <summary>Fires once, when the host begins to stop.</summary>
    public CancellationToken Draining => _draining.Token;

    public bool IsDraining => _draining.IsCancellationRequested;

    /// <summary>Fires once, when answers have had their time: what is still being written ends with an error.</summary>
    public CancellationToken CutOff => _cutOff.Token;

    public bool IsCutOff => _cutOff.IsCancellationRequested;

    public void Begin() => _draining.Cancel();

    public void BeginCutOff() => _cutOff.Cancel();

    /// <summary>What a caller is told whose request is refused or cut off.</summary>
    public static LlmOsException Refusal() => new(Contracts.ErrorCode.Unavailable, "The server is stopping.") { Hint = "Send the request again in a few seconds." };

    public void Dispose()
    {
        _draining.Dispose();
        _cutOff.Dispose();
    }
}
