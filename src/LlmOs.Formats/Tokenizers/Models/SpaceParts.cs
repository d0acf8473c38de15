namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>The parts of a text that each begin with a run of <c>▁</c>; what stands before the first run is a part too.</summary>
internal ref struct SpaceParts
{
    private readonly ReadOnlySpan<char> _text;
    private int _from;
    private int _to;

    private SpaceParts(ReadOnlySpan<char> text) => _text = text;

    public readonly Range Current => _from.._to;

    public static SpaceParts Of(ReadOnlySpan<char> text) => new(text);

    public readonly SpaceParts GetEnumerator() => this;

    public bool MoveNext()
    {
        _from = _to;
        while (_to < _text.Length && _text[_to] == '▁')
        {
            _to++;
        }

        var next = _text[_to..].IndexOf('▁');
        _to = next < 0 ? _text.Length : _to + next;
        return _from < _to;
    }
}
