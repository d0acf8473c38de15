using System.Text;
using LlmOs.Formats.Tokenizers.Normalizers;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>GPT-2's split, then every byte in its printable stand-in.</summary>
/// <param name="leadingSpace">Whether a piece that does not begin with a space gets one.</param>
/// <param name="split">Whether GPT-2's pattern cuts the text.</param>
/// <param name="spell">Whether the stand-ins are written; a model that works on bytes does without.</param>
internal sealed class ByteLevelPreTokenizer(bool leadingSpace, bool split, bool spell) : IPreTokenizer
{
    /// <summary>The same cuts, with the text left as it is.</summary>
    public ByteLevelPreTokenizer Unspelt() => new(leadingSpace, split, spell: false);

    public void Split(Pieces pieces)
    {
        if (leadingSpace)
        {
            AddSpaces(pieces);
        }

        if (split)
        {
            WordPatterns.Gpt2.Split(pieces);
        }

        if (spell)
        {
            Spell(pieces);
        }
    }

    private static void AddSpaces(Pieces pieces)
    {
        var parts = new List<AlignedText>(pieces.List.Count);
        var result = new List<Piece>(pieces.List.Count);
        var at = 0;
        foreach (var piece in pieces.List)
        {
            var part = pieces.Text.Slice(piece.Start, piece.Length);
            parts.Add(part.Text.StartsWith(' ') ? part : PrependNormalizer.Apply(part, " "));
            result.Add(new Piece(at, parts[^1].Text.Length));
            at += parts[^1].Text.Length;
        }

        pieces.Replace(AlignedText.Join(parts, pieces.Text), result);
    }

    private static void Spell(Pieces pieces)
    {
        var text = pieces.Text;
        var rewriter = new AlignedText.Rewriter(text, text.Text.Length * 2);
        var result = new List<Piece>(pieces.List.Count);
        Span<byte> bytes = stackalloc byte[4];
        Span<char> spelt = stackalloc char[4];
        var length = 0;
        foreach (var piece in pieces.List)
        {
            var start = length;
            for (var at = piece.Start; at < piece.End;)
            {
                Rune.DecodeFromUtf16(text.Text.AsSpan(at), out var rune, out var used);
                var count = rune.EncodeToUtf8(bytes);
                for (var i = 0; i < count; i++)
                {
                    spelt[i] = ByteAlphabet.Of(bytes[i]);
                }

                rewriter.Write(spelt[..count], at, used);
                length += count;
                at += used;
            }

            result.Add(new Piece(start, length - start));
        }

        pieces.Replace(rewriter.Finish(), result);
    }
}
