using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>
/// A regular expression over code points. .NET's own works on UTF-16 units, where <c>\p{L}</c> misses every letter
/// outside the basic plane, and reads a different syntax from the one that tokenizer files are written in.
/// </summary>
internal sealed class PatternRegex
{
    private readonly PatternStep[] _steps;
    private readonly int _slots;
    private readonly string _component;

    private PatternRegex(string source, string component, PatternProgram program)
    {
        Source = source;
        _component = component;
        _steps = [.. program.Steps];
        _slots = program.Slots;
    }

    public string Source { get; }

    public static PatternRegex Compile(string source, string component) =>
        new(source, component, PatternProgram.Compile(PatternParser.Parse(source, component), component));

    /// <summary>Adds all matches from left to right; a match that is empty moves the search on by one character.</summary>
    /// <exception cref="TokenizerFormatException">The expression needs too many steps on this text.</exception>
    public void Matches(ReadOnlySpan<char> text, List<Piece> matches, Work work)
    {
        var matcher = new PatternMatcher(_steps, text, work.Slots(_slots), work);
        for (var at = 0; at <= text.Length;)
        {
            var end = matcher.MatchAt(at);
            if (matcher.Exhausted)
            {
                throw new TokenizerFormatException(
                    $"{_component}: the regular expression \"{Vocabulary.Shown(Source)}\" takes too many steps on this text.");
            }

            if (end >= 0 && (end > at || matches.Count == 0 || matches[^1].End != at))
            {
                matches.Add(new Piece(at, end - at));
            }

            at = end > at ? end : at + (at + 1 < text.Length && char.IsHighSurrogate(text[at]) ? 2 : 1);
        }

        matcher.End();
    }
}
