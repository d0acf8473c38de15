namespace LlmOs.Models.Generation;

/// <summary>
/// Places in a text counted in characters (Unicode code points), as every answer counts them: clients cut their own copy of the text
/// with them, and a string in most languages has one element a character, not one a UTF-16 unit.
/// </summary>
internal sealed class CharacterPlaces
{
    private readonly int[]? _places; // null: a character is a unit everywhere

    public CharacterPlaces(string text)
    {
        if (Count(text) == text.Length)
        {
            return;
        }

        _places = new int[text.Length + 1];
        for (var i = 0; i < text.Length; i++)
        {
            _places[i + 1] = _places[i] + (IsSecondHalf(text, i) ? 0 : 1);
        }
    }

    /// <summary>Characters before a UTF-16 index.</summary>
    public int Of(int index) => _places is null ? index : _places[index];

    /// <summary>Characters of a text.</summary>
    public static int Count(string text)
    {
        var count = text.Length;
        for (var i = text.AsSpan().IndexOfAnyInRange('\uDC00', '\uDFFF'); (uint)i < (uint)text.Length; i++)
        {
            count -= IsSecondHalf(text, i) ? 1 : 0;
        }

        return count;
    }

    private static bool IsSecondHalf(string text, int at) => at > 0 && char.IsLowSurrogate(text[at]) && char.IsHighSurrogate(text[at - 1]);
}
