using LlmOs.Formats.Tokenizers.Patterns;

namespace LlmOs.Formats.Tokenizers;

/// <summary>The format's <c>{"String": ...}</c> or <c>{"Regex": ...}</c>: finds matches from left to right, not overlapping.</summary>
internal sealed class TextPattern
{
    private readonly PatternRegex? _regex;

    private TextPattern(string? literal, PatternRegex? regex) => (Literal, _regex) = (literal, regex);

    /// <summary>The text looked for; null for a regular expression.</summary>
    public string? Literal { get; }

    /// <summary>The source of the regular expression; null for a plain text.</summary>
    public string? Source => _regex?.Source;

    public static TextPattern Of(string literal) => new(literal, null);

    public static TextPattern OfRegex(string source, string component) => new(null, PatternRegex.Compile(source, component));

    public static TextPattern Read(Fields fields, string name)
    {
        var pattern = fields.Child(name);
        return pattern.StringOrNull("String") is { } literal
            ? Of(literal)
            : OfRegex(pattern.String("Regex"), pattern.Component);
    }

    public List<Piece> Matches(ReadOnlySpan<char> text, Work work)
    {
        var matches = new List<Piece>();
        Matches(text, matches, work);
        return matches;
    }

    public void Matches(ReadOnlySpan<char> text, List<Piece> matches, Work work)
    {
        if (_regex is not null)
        {
            _regex.Matches(text, matches, work);
        }
        else if (Literal!.Length > 0)
        {
            for (var at = 0; text[at..].IndexOf(Literal, StringComparison.Ordinal) is var found and >= 0; at += found + Literal.Length)
            {
                matches.Add(new Piece(at + found, Literal.Length));
            }
        }
    }
}
