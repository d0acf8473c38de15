namespace LlmOs.Infrastructure.Access;

/// <summary>
/// Counts wrong keys and passwords by the minute. A try is counted before it is checked and given back when it was right, so that
/// many at once are no way around the count, and right ones cost nothing.
/// </summary>
public sealed class WrongSecrets(TimeProvider clock)
{
    private const int MaxNames = 100_000;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Tries> _tries = new(StringComparer.Ordinal);

    /// <summary>Counts a try against each of the limits; none where one of them is used up.</summary>
    /// <param name="limits">Whose tries, and how many of them may be wrong in a minute.</param>
    /// <returns>False: it must not be checked, so that a guess tells nothing.</returns>
    public bool TryCount(params ReadOnlySpan<(string Who, int AMinute)> limits)
    {
        lock (_gate)
        {
            foreach (var (who, aMinute) in limits)
            {
                if (Of(who).Count >= aMinute)
                {
                    return false;
                }
            }

            foreach (var (who, _) in limits)
            {
                Of(who).Count++;
            }

            return true;
        }
    }

    /// <summary>Takes counted tries back: they were right.</summary>
    public void GiveBack(params ReadOnlySpan<(string Who, int AMinute)> limits)
    {
        lock (_gate)
        {
            foreach (var (who, _) in limits)
            {
                var tries = Of(who);
                tries.Count = Math.Max(tries.Count - 1, 0);
            }
        }
    }

    /// <summary>A place in the queue of those whose tries are used up but may be checked all the same, one a second.</summary>
    /// <returns>How long to wait; null: too many wait already.</returns>
    public TimeSpan? NextTurn(string who)
    {
        lock (_gate)
        {
            var (tries, now) = (Of(who), clock.GetUtcNow());
            var turn = tries.LastTurn + Turn > now ? tries.LastTurn + Turn : now;
            if (turn - now > MaxWait)
            {
                return null;
            }

            tries.LastTurn = turn;
            return turn - now;
        }
    }

    private Tries Of(string who)
    {
        var now = clock.GetUtcNow();
        if (_tries.TryGetValue(who, out var tries) && tries.Until > now)
        {
            return tries;
        }

        if (_tries.Count >= MaxNames)
        {
            foreach (var old in _tries.Where(entry => entry.Value.Until <= now).Select(entry => entry.Key).ToList())
            {
                _tries.Remove(old);
            }

            if (_tries.Count >= MaxNames)
            {
                _tries.Clear(); // so many within a minute are no persons; the memory counts more
            }
        }

        return _tries[who] = new Tries { Until = now + Minute, LastTurn = tries?.LastTurn ?? DateTimeOffset.MinValue };
    }

    private sealed class Tries
    {
        public DateTimeOffset Until { get; init; }

        public int Count { get; set; }

        public DateTimeOffset LastTurn { get; set; }
    }
}
