using System.Buffers;
using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>Cuts at every character of a class.</summary>
internal sealed class CharacterSplit(Func<int, bool> holds, SplitBehavior behavior) : IPreTokenizer
{
    public void Split(Pieces pieces)
    {
        var result = new List<Piece>(pieces.List.Count);
        var matches = new List<Piece>();
        foreach (var piece in pieces.List)
        {
            var text = pieces[piece];
            matches.Clear();
            for (var at = 0; at < text.Length;)
            {
                Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
                if (holds(rune.Value))
                {
                    matches.Add(new Piece(at, used));
                }

                at += used;
            }

            Splitter.Cut(piece, matches, behavior, invert: false, result);
        }

        pieces.Replace(result);
    }

    public static bool IsSpace(int scalar) => (CharClass.Of(scalar) & CharClass.Space) != 0;

    public static bool IsNumeric(int scalar) => (CharClass.Of(scalar) & CharClass.Number) != 0;

    public static bool IsPunctuation(int scalar) => scalar < 128
        ? char.IsPunctuation((char)scalar) || char.IsSymbol((char)scalar)
        : CharClass.Category(scalar) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;
}

/// <summary>White space goes, every punctuation character stands alone: what BERT does.</summary>
internal sealed class BertPreTokenizer : IPreTokenizer
{
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        [.. Enumerable.Range(0, 128).Where(scalar => !CharacterSplit.IsSpace(scalar) && !CharacterSplit.IsPunctuation(scalar)).Select(scalar => (char)scalar)]);

    public void Split(Pieces pieces)
    {
        var result = new List<Piece>(pieces.List.Count);
        foreach (var piece in pieces.List)
        {
            var text = pieces[piece];
            var word = 0;
            for (var at = 0; at < text.Length;)
            {
                var plain = text[at..].IndexOfAnyExcept(Plain);
                if (plain < 0)
                {
                    break;
                }

                at += plain;
                Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
                var space = CharacterSplit.IsSpace(rune.Value);
                if (space || CharacterSplit.IsPunctuation(rune.Value))
                {
                    Add(piece.Start + word, at - word);
                    Add(piece.Start + at, space ? 0 : used);
                    word = at + used;
                }

                at += used;
                if (space && at < text.Length && text[at] == ' ')
                {
                    var run = text[at..].IndexOfAnyExcept(' ');
                    at = word = run < 0 ? text.Length : at + run;
                }
            }

            Add(piece.Start + word, text.Length - word);
        }

        pieces.Replace(result);

        void Add(int start, int length)
        {
            if (length > 0)
            {
                result.Add(new Piece(start, length));
            }
        }
    }
}

/// <summary>Words and runs of other characters, without the white space: <c>\w+|[^\w\s]+</c>.</summary>
internal sealed class WhitespacePreTokenizer : IPreTokenizer
{
    public void Split(Pieces pieces)
    {
        var result = new List<Piece>(pieces.List.Count);
        foreach (var piece in pieces.List)
        {
            var text = pieces[piece];
            for (var at = 0; at < text.Length;)
            {
                var kind = KindAt(text, at, out var used);
                var start = at;
                at += used;
                while (at < text.Length && KindAt(text, at, out used) == kind)
                {
                    at += used;
                }

                if (kind != 0)
                {
                    result.Add(new Piece(piece.Start + start, at - start));
                }
            }
        }

        pieces.Replace(result);
    }

    // 0 white space, 1 word, 2 anything else.
    private static int KindAt(ReadOnlySpan<char> text, int at, out int used)
    {
        var kind = CharClass.At(text, at, out used);
        return (kind & CharClass.Word) != 0 ? 1 : (kind & CharClass.Space) != 0 ? 0 : 2;
    }
}

/// <summary>Stretches of a fixed number of characters.</summary>
internal sealed class FixedLengthSplit(int length) : IPreTokenizer
{
    public void Split(Pieces pieces)
    {
        var result = new List<Piece>();
        foreach (var piece in pieces.List)
        {
            var text = pieces[piece];
            for (var at = 0; at < text.Length;)
            {
                var start = at;
                for (var i = 0; i < length && at < text.Length; i++)
                {
                    Rune.DecodeFromUtf16(text[at..], out _, out var used);
                    at += used;
                }

                result.Add(new Piece(piece.Start + start, at - start));
            }
        }

        pieces.Replace(result);
    }
}
