using System.Buffers;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// A text on its way through the normalisers, which remembers for every UTF-16 unit which range of the original text
/// it stands for. Where nothing was rewritten (or nobody asked for offsets) no table is kept.
/// </summary>
internal sealed class AlignedText
{
    private readonly int[]? _starts;
    private readonly int[]? _ends;

    public AlignedText(string text, int origin, bool tracked, Work work)
    {
        Text = text;
        Origin = origin;
        Tracked = tracked;
        Work = work;
    }

    private AlignedText(string text, int origin, int[] starts, int[] ends, Work work)
        : this(text, origin, tracked: true, work)
    {
        _starts = starts;
        _ends = ends;
    }

    public string Text { get; }

    /// <summary>Where this stretch begins in the original text.</summary>
    public int Origin { get; }

    /// <summary>What the whole text may still cost.</summary>
    public Work Work { get; }

    /// <summary>Whether offsets are wanted.</summary>
    public bool Tracked { get; }

    /// <summary>Index in the original of the character that stands at <paramref name="index"/>.</summary>
    public int StartOf(int index) => _starts is null ? Origin + index : _starts[index];

    /// <summary>Index in the original after the character that stands at <paramref name="index"/>.</summary>
    public int EndOf(int index) => _ends is null ? Origin + index + 1 : _ends[index];

    /// <summary>A part of the text with its own part of the alignment.</summary>
    public AlignedText Slice(int start, int length)
    {
        if (start == 0 && length == Text.Length)
        {
            return this;
        }

        var text = Text.Substring(start, length);
        if (!Tracked)
        {
            // Only whether a stretch begins the text is asked of these.
            return new AlignedText(text, Origin + start, tracked: false, Work);
        }

        if (_starts is null)
        {
            return new AlignedText(text, Origin + start, tracked: true, Work);
        }

        var origin = length > 0 ? _starts[start] : Origin;
        return new AlignedText(text, origin, _starts.AsSpan(start, length).ToArray(), _ends.AsSpan(start, length).ToArray(), Work);
    }

    /// <summary>Texts one behind the other.</summary>
    public static AlignedText Join(IReadOnlyList<AlignedText> parts, AlignedText whole)
    {
        if (parts.Count == 1)
        {
            return parts[0];
        }

        var text = string.Concat(parts.Select(part => part.Text));
        if (!whole.Tracked)
        {
            return new AlignedText(text, whole.Origin, tracked: false, whole.Work);
        }

        var (starts, ends) = (new int[text.Length], new int[text.Length]);
        var at = 0;
        foreach (var part in parts)
        {
            for (var i = 0; i < part.Text.Length; i++, at++)
            {
                (starts[at], ends[at]) = (part.StartOf(i), part.EndOf(i));
            }
        }

        return new AlignedText(text, whole.Origin, starts, ends, whole.Work);
    }

    /// <summary>A rewrite of a text from left to right, in borrowed arrays: long texts must not fill the heap.</summary>
    internal ref struct Rewriter(AlignedText source, int capacity)
    {
        private char[] _text = ArrayPool<char>.Shared.Rent(Math.Max(capacity, 16));
        private int[] _starts = source.Tracked ? ArrayPool<int>.Shared.Rent(Math.Max(capacity, 16)) : [];
        private int[] _ends = source.Tracked ? ArrayPool<int>.Shared.Rent(Math.Max(capacity, 16)) : [];
        private int _count;

        /// <summary>Characters written so far.</summary>
        public readonly int Count => _count;

        /// <summary>Takes over a stretch of the source as it is.</summary>
        public void Copy(int start, int length)
        {
            Reserve(length);
            source.Text.AsSpan(start, length).CopyTo(_text.AsSpan(_count));
            for (var i = 0; source.Tracked && i < length; i++)
            {
                _starts[_count + i] = source.StartOf(start + i);
                _ends[_count + i] = source.EndOf(start + i);
            }

            _count += length;
        }

        /// <summary>Writes text that stands for a stretch of the source.</summary>
        /// <param name="length">At least 1; new text belongs to a neighbour.</param>
        public void Write(scoped ReadOnlySpan<char> text, int start, int length)
        {
            Reserve(text.Length);
            text.CopyTo(_text.AsSpan(_count));
            if (source.Tracked && text.Length > 0)
            {
                _starts.AsSpan(_count, text.Length).Fill(source.StartOf(start));
                _ends.AsSpan(_count, text.Length).Fill(source.EndOf(start + length - 1));
            }

            _count += text.Length;
        }

        /// <summary>Takes back these characters at the end.</summary>
        public void TrimEnd(char unit)
        {
            while (_count > 0 && _text[_count - 1] == unit)
            {
                _count--;
            }
        }

        /// <summary>The text that was written. It ends the rewriter.</summary>
        public AlignedText Finish()
        {
            var text = new string(_text, 0, _count);
            ArrayPool<char>.Shared.Return(_text);
            _text = [];
            if (!source.Tracked)
            {
                return new AlignedText(text, source.Origin, tracked: false, source.Work);
            }

            var result = new AlignedText(text, source.Origin, _starts[.._count], _ends[.._count], source.Work);
            ArrayPool<int>.Shared.Return(_starts);
            ArrayPool<int>.Shared.Return(_ends);
            (_starts, _ends) = ([], []);
            return result;
        }

        private void Reserve(int more)
        {
            if (_count + more <= _text.Length)
            {
                return;
            }

            if (_count + (long)more > source.Work.MaxCharacters)
            {
                throw new TokenizerFormatException($"The components make more than {source.Work.MaxCharacters} characters of this text; their replacements grow it without need.");
            }

            var size = Math.Max(_text.Length * 2, _count + more);
            Grow(ref _text, size);
            if (source.Tracked)
            {
                Grow(ref _starts, _text.Length);
                Grow(ref _ends, _text.Length);
            }
        }

        private readonly void Grow<T>(ref T[] values, int size)
        {
            var larger = ArrayPool<T>.Shared.Rent(size);
            values.AsSpan(0, _count).CopyTo(larger);
            ArrayPool<T>.Shared.Return(values);
            values = larger;
        }
    }
}
