using LlmOs.Formats.Templates.Library;
using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Values;

/// <summary>A text that knows which of its stretches came from a user. Positions that templates see count characters, not UTF-16 units.</summary>
internal sealed class TextValue : TemplateValue
{
    public static readonly TextValue Empty = new("", null, false);

    private readonly TextSpan[]? _userSpans;
    private int _length = -1;

    private TextValue(string text, TextSpan[]? userSpans, bool isMarkup)
    {
        Text = text;
        _userSpans = userSpans;
        IsMarkup = isMarkup;
    }

    public string Text { get; }

    /// <summary>Marked as safe; texts that are added to it are escaped.</summary>
    public bool IsMarkup { get; }

    /// <summary>In order and apart from each other.</summary>
    public ReadOnlySpan<TextSpan> UserSpans => _userSpans;

    /// <summary>Whether any of it came from a user.</summary>
    public bool HasUser => _userSpans is not null;

    /// <summary>Whether the unit at an index came from a user.</summary>
    public bool IsUser(int unit)
    {
        var (low, high) = (0, _userSpans?.Length ?? 0);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _userSpans![middle].End <= unit ? (middle + 1, high) : (low, middle);
        }

        return _userSpans is not null && low < _userSpans.Length && _userSpans[low].Start <= unit;
    }

    internal override string TypeName => IsMarkup ? "Markup" : "str";

    internal override bool IsTrue => Text.Length > 0;

    /// <summary>Characters.</summary>
    internal override int? Length => _length >= 0 ? _length : _length = HasSurrogates ? CountRunes(Text) : Text.Length;

    private bool HasSurrogates => Text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');

    public static TextValue Of(string text) => text.Length == 0 ? Empty : new TextValue(text, null, false);

    public static TextValue User(string text) => text.Length == 0 ? Empty : new TextValue(text, [new TextSpan(0, text.Length)], false);

    /// <summary>A text that was put together; spans in order, none of them empty.</summary>
    public static TextValue Of(string text, IReadOnlyCollection<TextSpan> userSpans, bool isMarkup) =>
        new(text, userSpans.Count == 0 ? null : [.. userSpans], isMarkup);

    /// <summary>A text made of others in a way that is not followed: as soon as any of them is a user's, all of it is.</summary>
    public static TextValue From(string text, bool fromUser, bool isMarkup = false) =>
        text.Length == 0 && !isMarkup ? Empty : new TextValue(text, fromUser && text.Length > 0 ? [new TextSpan(0, text.Length)] : null, isMarkup);

    public TextValue AsMarkup() => IsMarkup ? this : new TextValue(Text, _userSpans, true);

    public TextValue AsPlain() => IsMarkup ? new TextValue(Text, _userSpans, false) : this;

    /// <summary>A stretch of it, in UTF-16 units.</summary>
    public TextValue Cut(int start, int length)
    {
        if (length == Text.Length)
        {
            return this;
        }

        if (length == 0 && !IsMarkup)
        {
            return Empty;
        }

        if (_userSpans is null)
        {
            return new TextValue(Text.Substring(start, length), null, IsMarkup);
        }

        var spans = new List<TextSpan>();
        foreach (var span in _userSpans)
        {
            var (from, to) = (Math.Max(span.Start, start), Math.Min(span.End, start + length));
            if (from < to)
            {
                spans.Add(new TextSpan(from - start, to - from));
            }
        }

        return Of(Text.Substring(start, length), spans, IsMarkup);
    }

    /// <summary>The same text in another spelling of the same length, such as another case; of another length, the origin of all of it blurs.</summary>
    public TextValue Respelt(string text) => text.Length == Text.Length ? new TextValue(text, _userSpans, IsMarkup) : From(text, HasUser, IsMarkup);

    /// <summary>UTF-16 index of a character; the text's end for one behind it.</summary>
    public int UnitOf(int character)
    {
        if (!HasSurrogates)
        {
            return Math.Min(character, Text.Length);
        }

        var unit = 0;
        for (var seen = 0; unit < Text.Length && seen < character; seen++)
        {
            unit += UnitsAt(unit);
        }

        return unit;
    }

    /// <summary>Characters before a UTF-16 index.</summary>
    public int CharacterOf(int unit) => HasSurrogates ? CountRunes(Text.AsSpan(0, unit)) : unit;

    /// <summary>UTF-16 units of the character at an index.</summary>
    public int UnitsAt(int unit) => char.IsHighSurrogate(Text[unit]) && unit + 1 < Text.Length && char.IsLowSurrogate(Text[unit + 1]) ? 2 : 1;

    internal override IEnumerable<TemplateValue> Items(RenderRun run)
    {
        for (var at = 0; at < Text.Length;)
        {
            var units = UnitsAt(at);
            yield return Cut(at, units);
            at += units;
        }
    }

    internal override void WriteText(TextOutput output) => output.Append(this);

    internal override void WriteRepr(TextOutput output) => PythonRepr.WriteText(this, output);

    private static int CountRunes(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
