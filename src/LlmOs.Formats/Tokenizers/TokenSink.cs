using System.Buffers;

namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// Growing list of tokens, with ranges of the normalised text where offsets are wanted. In borrowed arrays: those of a long
/// text are large objects, which only a full collection frees.
/// </summary>
internal sealed class TokenSink(bool tracked) : IDisposable
{
    private const int AtFirst = 64;

    private int[] _ids = ArrayPool<int>.Shared.Rent(AtFirst);
    private int[] _starts = tracked ? ArrayPool<int>.Shared.Rent(AtFirst) : [];
    private int[] _ends = tracked ? ArrayPool<int>.Shared.Rent(AtFirst) : [];
    private int[] _words = tracked ? ArrayPool<int>.Shared.Rent(AtFirst) : [];
    private int _room = AtFirst;
    private int _word;
    private int _worded;

    public bool Tracked { get; } = tracked;

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    public void Add(int id, int start, int end)
    {
        if (Count == _room)
        {
            Grow(Count + 1);
        }

        _ids[Count] = id;
        if (Tracked)
        {
            _starts[Count] = start;
            _ends[Count] = end;
        }

        Count++;
    }

    /// <summary>Adds the tokens of a piece that begins at <paramref name="at"/>; their ranges are the piece's.</summary>
    public void Add(ReadOnlySpan<int> ids, ReadOnlySpan<int> starts, ReadOnlySpan<int> ends, int at)
    {
        if (Count + ids.Length > _room)
        {
            Grow(Count + ids.Length);
        }

        ids.CopyTo(_ids.AsSpan(Count));
        for (var i = 0; Tracked && i < ids.Length; i++)
        {
            (_starts[Count + i], _ends[Count + i]) = (at + starts[i], at + ends[i]);
        }

        Count += ids.Length;
    }

    /// <summary>Forgets the tokens from a place on.</summary>
    public void CutBack(int count) => Count = count;

    /// <summary>The tokens since the last call are those of one word.</summary>
    public void EndWord()
    {
        if (Tracked)
        {
            _words.AsSpan(_worded, Count - _worded).Fill(_word);
        }

        (_word, _worded) = (_word + 1, Count);
    }

    public int WordOf(int index) => _words[index];

    public int StartOf(int index) => _starts[index];

    public int EndOf(int index) => _ends[index];

    public void SetRange(int index, int start, int end) => (_starts[index], _ends[index]) = (start, end);

    /// <summary>Turns ranges of the normalised text into ranges of the original, from token <paramref name="from"/> on.</summary>
    public void MapToOriginal(int from, AlignedText text)
    {
        for (var i = from; Tracked && i < Count; i++)
        {
            var (start, end) = (_starts[i], _ends[i]);
            (_starts[i], _ends[i]) = start < end
                ? (text.StartOf(start), text.EndOf(end - 1))
                : (text.Origin, text.Origin);
        }
    }

    /// <summary>Gives the arrays back; what was read as a span is gone.</summary>
    public void Dispose()
    {
        GiveBack(_ids);
        GiveBack(_starts);
        GiveBack(_ends);
        GiveBack(_words);
        (_ids, _starts, _ends, _words, Count, _room) = ([], [], [], [], 0, 0);
    }

    private void Grow(int atLeast)
    {
        _room = Math.Max(_room * 2, atLeast);
        Resize(ref _ids);
        if (Tracked)
        {
            Resize(ref _starts);
            Resize(ref _ends);
            Resize(ref _words);
        }
    }

    private void Resize(ref int[] values)
    {
        var larger = ArrayPool<int>.Shared.Rent(_room);
        values.AsSpan(0, Count).CopyTo(larger);
        GiveBack(values);
        values = larger;
    }

    private static void GiveBack(int[] values)
    {
        if (values.Length > 0)
        {
            ArrayPool<int>.Shared.Return(values);
        }
    }
}
