namespace LlmOs.Formats.Tokenizers;

/// <summary>A stretch of the text of <see cref="Pieces"/>, in UTF-16 units.</summary>
internal readonly record struct Piece(int Start, int Length)
{
    public int End => Start + Length;
}

/// <summary>What the pre-tokenizers cut: one text and the stretches of it that the model sees one by one.</summary>
internal sealed class Pieces(AlignedText text)
{
    public AlignedText Text { get; private set; } = text;

    public List<Piece> List { get; private set; } = text.Text.Length == 0 ? [] : [new Piece(0, text.Text.Length)];

    public ReadOnlySpan<char> this[Piece piece] => Text.Text.AsSpan(piece.Start, piece.Length);

    /// <summary>Puts other stretches of the same text in place of the present ones.</summary>
    public void Replace(List<Piece> pieces) => List = pieces;

    /// <summary>Puts a rewritten text and its stretches in place of the present ones.</summary>
    public void Replace(AlignedText text, List<Piece> pieces)
    {
        Text = text;
        List = pieces;
    }
}
