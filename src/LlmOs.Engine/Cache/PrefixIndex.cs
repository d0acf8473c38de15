namespace LlmOs.Engine.Cache;

/// <summary>A slot that holds the beginning of a prompt.</summary>
/// <param name="Slot">Which slot, or -1.</param>
/// <param name="Tokens">Tokens of the prompt that it holds; a multiple of the chunk length.</param>
internal readonly record struct PrefixMatch(int Slot, int Tokens);

/// <summary>
/// Remembers which prompt tokens each slot holds, also after the slot was given back, and finds the longest prefix of a new prompt.
/// </summary>
/// <remarks>
/// Only whole prompt chunks are remembered. A prefix is therefore always one that the new prompt would have computed in the
/// same chunks, and a reply does not depend, to the last bit, on whether its prompt was found here. Tokens that were decoded
/// one at a time go through other kernels and are not reused.
/// With at most 256 slots a scan is cheaper than a tree; it runs once a chunk.
/// </remarks>
internal sealed class PrefixIndex
{
    private readonly (int[] Tokens, int Count)[] _held;
    private readonly int _chunk;

    public PrefixIndex(int slots, int chunk)
    {
        _chunk = chunk;
        _held = new (int[], int)[slots];
        Array.Fill(_held, ([], 0));
    }

    /// <summary>Tokens that a slot is known to hold from its beginning.</summary>
    public int HeldBy(int slot) => _held[slot].Count;

    /// <summary>Notes that the slot now holds the whole chunks among the first <paramref name="count"/> tokens of a prompt.</summary>
    public void Record(int slot, int[] tokens, int count) => _held[slot] = (tokens, count - (count % _chunk));

    public void Forget(int slot) => _held[slot] = ([], 0);

    public void Exchange(int a, int b) => (_held[a], _held[b]) = (_held[b], _held[a]);

    /// <summary>The slot that holds most of the prompt's beginning. At least one token is always left to run.</summary>
    public PrefixMatch Find(ReadOnlySpan<int> prompt)
    {
        var best = new PrefixMatch(-1, 0);
        for (var slot = 0; slot < _held.Length; slot++)
        {
            var length = Match(slot, prompt);
            if (length > best.Tokens)
            {
                best = new PrefixMatch(slot, length);
            }
        }

        return best;
    }

    /// <summary>Tokens of the prompt's beginning that one slot holds.</summary>
    public int Match(int slot, ReadOnlySpan<int> prompt)
    {
        var (tokens, count) = _held[slot];
        var common = prompt[..^1].CommonPrefixLength(tokens.AsSpan(0, count));
        return common - (common % _chunk);
    }
}
