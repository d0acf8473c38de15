namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>A set of Unicode scalar values: a bit map for the basic plane, a question for the rest.</summary>
internal sealed class CodeSet
{
    private readonly ulong[] _basic = new ulong[1024];
    private readonly Func<int, bool> _holds;

    public CodeSet(Func<int, bool> holds)
    {
        _holds = holds;
        for (var scalar = 0; scalar < 0x10000; scalar++)
        {
            if (holds(scalar))
            {
                _basic[scalar >> 6] |= 1UL << (scalar & 63);
            }
        }
    }

    public bool Holds(int scalar) => scalar < 0x10000
        ? (_basic[scalar >> 6] & (1UL << (scalar & 63))) != 0
        : _holds(scalar);

    /// <summary>Whether the set has the character at <paramref name="at"/>; its length goes to <paramref name="length"/>.</summary>
    public bool HoldsAt(ReadOnlySpan<char> text, int at, out int length)
    {
        var unit = text[at];
        if (char.IsHighSurrogate(unit) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
        {
            length = 2;
            return _holds(char.ConvertToUtf32(unit, text[at + 1]));
        }

        length = 1;
        return (_basic[unit >> 6] & (1UL << (unit & 63))) != 0;
    }
}
