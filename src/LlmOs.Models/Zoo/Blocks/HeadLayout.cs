namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Where a head's published components stand in the graph.</summary>
/// <remarks>
/// The attention kernel turns component i against i + D / 2 over the whole head, in groups of 8 pairs, so a head is stored in
/// multiples of 16 components. A rotary part that is narrower than the head puts its two halves at the beginnings of the two
/// stored halves; what does not turn fills the gaps, and zeros the rest. Scores do not change: queries and keys move alike.
/// </remarks>
internal sealed class HeadLayout
{
    private const int Alignment = 16;

    private readonly int[] _sources; // [D]: the published component, or -1 for a zero

    /// <param name="width">Components of a published head.</param>
    /// <param name="rotary">Components that rotary positions turn, from the first on; 0 for none.</param>
    /// <param name="interleaved">Whether the published head turns each component against its neighbour.</param>
    public HeadLayout(int width, int rotary, bool interleaved = false)
    {
        Width = width;
        Stored = StoredWidth(width);
        _sources = new int[Stored];
        Array.Fill(_sources, -1);
        var half = (rotary == 0 ? width : rotary) / 2;
        for (var i = 0; i < half; i++)
        {
            (_sources[i], _sources[(Stored / 2) + i]) = interleaved ? (2 * i, (2 * i) + 1) : (i, half + i);
        }

        var place = 0;
        for (var source = 2 * half; source < width; source++)
        {
            place = Array.IndexOf(_sources, -1, place);
            _sources[place] = source;
        }
    }

    public int Width { get; }

    /// <summary>Components of a head in the graph and in the cache.</summary>
    public int Stored { get; }

    public static int StoredWidth(int width) => (width + Alignment - 1) / Alignment * Alignment;

    /// <summary>The head as runs of neighbours: a first published component, or -1 for zeros, and how many.</summary>
    public IEnumerable<(int Source, int Count)> Runs()
    {
        for (var at = 0; at < Stored;)
        {
            var count = 1;
            while (at + count < Stored && _sources[at + count] == (_sources[at] < 0 ? -1 : _sources[at] + count))
            {
                count++;
            }

            yield return (_sources[at], count);
            at += count;
        }
    }
}
