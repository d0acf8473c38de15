namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// What encoding one text may cost, shared by all components that work on it: a file from anywhere may hold expressions
/// that backtrack without end and replacements that double the text again and again.
/// </summary>
internal sealed class Work(int characters)
{
    private const long MinSteps = 10_000_000;
    private const int StepsPerCharacter = 200;
    private const int MinCharacters = 1 << 20;

    // The most that Unicode's own normalisation makes of a character is 18.
    private const int CharactersPerCharacter = 20;

    private int[] _slots = [];

    /// <summary>Steps of expressions that are left.</summary>
    public long Steps { get; set; } = MinSteps + ((long)StepsPerCharacter * characters);

    /// <summary>Characters that the text may grow to.</summary>
    public int MaxCharacters { get; } = (int)Math.Min(int.MaxValue, MinCharacters + ((long)CharactersPerCharacter * characters));

    /// <summary>Where expressions remember other ways to go on; grown as needed.</summary>
    public int[] Stack { get; set; } = [];

    /// <summary>Allows for more text.</summary>
    public void Grant(int more) => Steps += (long)StepsPerCharacter * more;

    /// <summary>At least as many numbers for an expression's marks.</summary>
    public int[] Slots(int count) => _slots.Length >= count ? _slots : _slots = new int[count];
}
