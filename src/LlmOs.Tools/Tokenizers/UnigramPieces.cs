using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>Pieces and the logarithms of their probabilities, found by their spelling.</summary>
internal sealed class UnigramPieces
{
    /// <summary>Characters of a piece at most, as in SentencePiece.</summary>
    public const int MaxCharacters = 16;

    private readonly IReadOnlyList<(string Piece, double Score)> _pieces;
    private readonly bool[] _isCharacter;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;

    public UnigramPieces(IReadOnlyList<(string Piece, double Score)> pieces)
    {
        _pieces = pieces;
        _isCharacter = [.. pieces.Select(p => Rune.DecodeFromUtf16(p.Piece, out _, out var width) == System.Buffers.OperationStatus.Done && width == p.Piece.Length)];
        var ids = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
        {
            ids.Add(pieces[id].Piece, id);
        }

        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Count => _pieces.Count;

    public (string Piece, double Score) this[int id] => _pieces[id];

    /// <summary>Whether a piece is a single character.</summary>
    public bool IsCharacter(int id) => _isCharacter[id];

    /// <summary>The id of a spelling; -1 where there is none.</summary>
    public int Find(ReadOnlySpan<char> spelling) => _ids.TryGetValue(spelling, out var id) ? id : -1;

    /// <summary>Where the characters of a text begin, in UTF-16 units, and where the last one ends.</summary>
    public static int[] Bounds(string text)
    {
        var bounds = new List<int>(text.Length + 1) { 0 };
        foreach (var character in text.EnumerateRunes())
        {
            bounds.Add(bounds[^1] + character.Utf16SequenceLength);
        }

        return [.. bounds];
    }
}
