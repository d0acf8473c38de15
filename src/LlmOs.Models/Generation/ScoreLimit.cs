using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>
/// How many log-probabilities of prompts may be held: each costs some forty bytes here and a few hundred in the answer, and a
/// request names thousands of them.
/// </summary>
internal sealed class ScoreLimit
{
    /// <summary>Log-probabilities of one request's prompts.</summary>
    public const int OfRequest = 1 << 18;

    /// <summary>Log-probabilities of all requests that are being answered.</summary>
    public const int OfAll = 8 * OfRequest;

    private int _held;

    /// <summary>Takes room for a request until the result is disposed of.</summary>
    /// <param name="scores">Tokens times (1 + alternatives).</param>
    /// <exception cref="LlmOsException">It is too much at all, or at the moment.</exception>
    public IDisposable Take(long scores)
    {
        if (scores > OfRequest)
        {
            throw LlmOsException.Invalid("echo", $"'echo' with 'logprobs' asks for {scores} log-probabilities of the prompts (tokens times 1 + 'logprobs'); a request may have {OfRequest}. Send it in parts, or ask for fewer.");
        }

        if (Interlocked.Add(ref _held, (int)scores) > OfAll)
        {
            Interlocked.Add(ref _held, -(int)scores);
            throw new LlmOsException(ErrorCode.Overloaded, $"Requests that are being answered hold as many log-probabilities of prompts as may be held together ({OfAll}).") { Hint = "Send the request again when others have ended." };
        }

        return new Taken(() => Interlocked.Add(ref _held, -(int)scores));
    }

    private sealed class Taken(Action release) : IDisposable
    {
        private Action? _release = release;

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }
}
