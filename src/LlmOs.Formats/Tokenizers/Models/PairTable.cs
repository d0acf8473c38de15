namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>Merges by their pair of ids: open addressing over plain arrays, as this is the innermost look-up.</summary>
internal sealed class PairTable
{
    private readonly ulong[] _keys;
    private readonly ulong[] _values;
    private readonly int _shift;

    public PairTable(int count)
    {
        var bits = 4;
        while (1L << bits < 2L * count)
        {
            bits++;
        }

        _keys = new ulong[1 << bits];
        _values = new ulong[1 << bits];
        _shift = 64 - bits;
        Array.Fill(_keys, ulong.MaxValue);
    }

    /// <summary>Enters a merge; a later one of the same pair takes the place of the earlier.</summary>
    public void Set(int left, int right, int rank, int merged)
    {
        var key = Key(left, right);
        var place = Place(key);
        while (_keys[place] != ulong.MaxValue && _keys[place] != key)
        {
            place = (place + 1) & (_keys.Length - 1);
        }

        _keys[place] = key;
        _values[place] = ((ulong)(uint)rank << 32) | (uint)merged;
    }

    /// <summary>Rank in the upper, merged id in the lower half; <see cref="ulong.MaxValue"/> where there is no merge.</summary>
    public ulong Find(int left, int right)
    {
        var key = Key(left, right);
        var place = Place(key);
        while (true)
        {
            var found = _keys[place];
            if (found == key)
            {
                return _values[place];
            }

            if (found == ulong.MaxValue)
            {
                return ulong.MaxValue;
            }

            place = (place + 1) & (_keys.Length - 1);
        }
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int Place(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
}
