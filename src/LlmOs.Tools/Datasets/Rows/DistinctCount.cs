using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>
/// Counts different values in bounded memory: exactly up to <see cref="MaxKept"/>, beyond that by adaptive sampling
/// (Flajolet 1990): of the hashes only those below a bound are kept, and the bound is halved whenever there are too many.
/// </summary>
internal sealed class DistinctCount
{
    /// <summary>Hashes held; the error of an estimate is about 1.2 / sqrt of half of it: 0.5 %.</summary>
    public const int MaxKept = 1 << 17;

    private readonly HashSet<ulong> _kept = [];
    private int _halvings;

    public bool IsExact => _halvings == 0;

    public long Count => (long)_kept.Count << _halvings;

    public void Add(string value)
    {
        var hash = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(value.AsSpan()));
        if (hash > ulong.MaxValue >> _halvings)
        {
            return;
        }

        _kept.Add(hash);
        if (_kept.Count > MaxKept)
        {
            _halvings++;
            _kept.RemoveWhere(known => known > ulong.MaxValue >> _halvings);
        }
    }
}
