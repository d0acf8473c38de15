using System.Text;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Running;

/// <summary>A text that is being put together, with the stretches of it that came from a user. Counted against the run's limits.</summary>
internal sealed class TextOutput(RenderRun run)
{
    private readonly StringBuilder _text = new();
    private readonly List<TextSpan> _userSpans = [];

    public RenderRun Run => run;

    public int Length => _text.Length;

    /// <summary>Adds what the template itself writes.</summary>
    public void Append(string text)
    {
        run.Extend(text.Length, _text.Length + (long)text.Length);
        _text.Append(text);
    }

    public void Append(TextValue text)
    {
        foreach (var span in text.UserSpans)
        {
            AddSpan(_text.Length + span.Start, span.Length);
        }

        Append(text.Text);
    }

    /// <summary>Adds text with the origin of another.</summary>
    public void Append(ReadOnlySpan<char> text, bool fromUser)
    {
        run.Extend(text.Length, _text.Length + (long)text.Length);
        if (fromUser)
        {
            AddSpan(_text.Length, text.Length);
        }

        _text.Append(text);
    }

    /// <summary>Adds a stretch of a text, in UTF-16 units.</summary>
    public void Append(TextValue text, int start, int length)
    {
        foreach (var span in text.UserSpans)
        {
            var (from, to) = (Math.Max(span.Start, start), Math.Min(span.End, start + length));
            if (from < to)
            {
                AddSpan(_text.Length + from - start, to - from);
            }
        }

        run.Extend(length, _text.Length + (long)length);
        _text.Append(text.Text, start, length);
    }

    public TextValue ToText(bool isMarkup = false) => _text.Length == 0 && !isMarkup ? TextValue.Empty : TextValue.Of(_text.ToString(), _userSpans, isMarkup);

    public RenderedText ToRendered(IReadOnlyList<TextSpan> generated) => new(_text.ToString(), [.. _userSpans], [.. generated]);

    private void AddSpan(int start, int length)
    {
        if (length == 0)
        {
            return;
        }

        if (_userSpans.Count > 0 && _userSpans[^1].End == start)
        {
            _userSpans[^1] = new TextSpan(_userSpans[^1].Start, _userSpans[^1].Length + length);
        }
        else
        {
            _userSpans.Add(new TextSpan(start, length));
        }
    }
}
