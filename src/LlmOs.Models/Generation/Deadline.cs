using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>The time by which a request must be answered, from now on; whoever works on it then stops with a refusal.</summary>
/// <param name="time">Null: as long as it takes.</param>
internal sealed class Deadline(TimeSpan? time, TimeProvider clock) : IDisposable
{
    /// <summary>Seconds, a day.</summary>
    public const double MaxSeconds = 86_400;

    private readonly CancellationTokenSource _over = time is { } some ? new CancellationTokenSource(some, clock) : new CancellationTokenSource();

    /// <summary>What a request states in seconds; null where it states nothing.</summary>
    /// <exception cref="LlmOsException">400: not above 0, or more than a day.</exception>
    public static TimeSpan? Read(double? seconds) => seconds switch
    {
        null => null,
        > 0 and <= MaxSeconds => TimeSpan.FromSeconds(seconds.Value),
        _ => throw LlmOsException.Invalid("timeout", $"'timeout' is {seconds}; expected seconds above 0, at most {MaxSeconds}."),
    };

    /// <exception cref="LlmOsException">504: the time was over before it was done.</exception>
    public async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _over.Token);
        try
        {
            return await work(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (IsOver(cancel))
        {
            throw Refusal();
        }
    }

    /// <summary>The items until the time is over.</summary>
    /// <exception cref="LlmOsException">504: it was over before the last one.</exception>
    public async IAsyncEnumerable<T> Within<T>(Func<CancellationToken, IAsyncEnumerable<T>> items, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _over.Token);
        await using var at = items(either.Token).GetAsyncEnumerator(either.Token);
        while (await NextAsync().ConfigureAwait(false))
        {
            yield return at.Current;
        }

        async Task<bool> NextAsync()
        {
            try
            {
                return await at.MoveNextAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (IsOver(cancel))
            {
                throw Refusal();
            }
        }
    }

    public void Dispose() => _over.Dispose();

    private bool IsOver(CancellationToken cancel) => _over.IsCancellationRequested && !cancel.IsCancellationRequested;

    private LlmOsException Refusal() => new(ErrorCode.Timeout, $"The request was not answered within {time!.Value.TotalSeconds} s and was stopped.")
    {
        Hint = "Ask for fewer tokens or texts, allow more time ('timeout', or Serving:TimeoutSeconds on the server), or send it when the model is less busy.",
    };
}
