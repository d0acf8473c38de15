namespace LlmOs.Trainer.Corpus;

/// <summary>
/// Which window of the text comes when: each epoch is a permutation of all windows, computed from the seed and the epoch
/// and never stored, so that any point of a training can be taken up again from its sample number alone.
/// </summary>
/// <remarks>The permutation is a four-round Feistel network on the next even power of two, walked until it falls inside.</remarks>
internal sealed class BatchOrder
{
    private const int Rounds = 4;

    private readonly ulong _seed;
    private readonly long _context;
    private readonly int _halfBits;

    /// <param name="seed">Of the training.</param>
    /// <param name="tokens">Tokens to train on; at least two windows and one token.</param>
    /// <param name="context">Tokens of a window.</param>
    public BatchOrder(long seed, long tokens, int context)
    {
        _seed = (ulong)seed;
        _context = context;

        // One window fewer than fit: each epoch cuts the text at another offset.
        WindowsPerEpoch = ((tokens - 1) / context) - 1;
        ArgumentOutOfRangeException.ThrowIfLessThan(WindowsPerEpoch, 1, nameof(tokens));
        while (1L << (2 * _halfBits) < WindowsPerEpoch)
        {
            _halfBits++;
        }
    }

    public long WindowsPerEpoch { get; }

    /// <summary>First token of the sample's window; the window holds that token, <c>context</c> more, and lies within the text.</summary>
    /// <param name="sample">Counted from 0 over the whole training.</param>
    public long StartOf(long sample)
    {
        var (epoch, index) = Math.DivRem(sample, WindowsPerEpoch);
        var key = Mix(_seed ^ Mix((ulong)epoch + 1));
        var shift = (long)(Mix(key) % (ulong)_context);
        return shift + (_context * Permute(index, key));
    }

    private long Permute(long index, ulong key)
    {
        if (_halfBits == 0)
        {
            return index;
        }

        var mask = (1UL << _halfBits) - 1;
        var value = (ulong)index;
        do
        {
            var (left, right) = (value >> _halfBits, value & mask);
            for (var round = 0; round < Rounds; round++)
            {
                (left, right) = (right, left ^ (Mix(key + ((ulong)round << 56) + right) & mask));
            }

            value = (left << _halfBits) | right;
        }
        while (value >= (ulong)WindowsPerEpoch);

        return (long)value;
    }

    /// <summary>SplitMix64's finaliser (Steele et al., OOPSLA 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
