using LlmOs.Formats.Templates.Running;
using LlmOs.Formats.Templates.Values;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Operations on texts that keep track of what came from a user.</summary>
internal static class Texts
{
    public static TextValue Join(RenderRun run, IEnumerable<TemplateValue> parts, TextValue? separator = null)
    {
        var output = new TextOutput(run);
        var first = true;
        foreach (var part in parts)
        {
            if (!first && separator is not null)
            {
                output.Append(separator);
            }

            first = false;
            part.WriteText(output);
        }

        return output.ToText();
    }

    /// <summary>Without the characters at its ends that are in a set; white space where none is given.</summary>
    public static TextValue Strip(RenderRun run, TextValue text, TextValue? characters, bool start, bool end)
    {
        var (from, to) = (0, text.Text.Length);
        var set = characters?.Text.EnumerateRunes().ToHashSet();
        while (start && from < to && Fits(from, out var units))
        {
            from += units;
        }

        while (end && to > from && Fits(to - (to - 2 >= from && char.IsSurrogatePair(text.Text[to - 2], text.Text[to - 1]) ? 2 : 1), out var units))
        {
            to -= units;
        }

        run.Scan(text.Text.Length - (to - from));
        run.Make(to - from);
        return text.Cut(from, to - from);

        bool Fits(int at, out int units)
        {
            units = text.UnitsAt(at);
            if (set is null)
            {
                return PythonText.IsSpace(text.Text[at]);
            }

            System.Text.Rune.DecodeFromUtf16(text.Text.AsSpan(at), out var rune, out _);
            return set.Contains(rune);
        }
    }

    public static TextValue Replace(RenderRun run, TextValue text, TextValue old, TextValue by, long max)
    {
        var output = new TextOutput(run);
        var copied = 0;
        if (old.Text.Length == 0)
        {
            return ReplaceEmpty(run, text, by, max);
        }

        for (var count = 0L; max < 0 || count < max; count++)
        {
            var at = TextSearch.Find(run, text.Text, old.Text, copied);
            if (at < 0)
            {
                break;
            }

            run.Step();
            output.Append(text, copied, at - copied);
            output.Append(by);
            copied = at + old.Text.Length;
        }

        if (copied == 0)
        {
            return text;
        }

        output.Append(text, copied, text.Text.Length - copied);
        return output.ToText(text.IsMarkup);
    }

    /// <summary>Pieces between separators; between stretches of white space where no separator is given.</summary>
    public static List<TemplateValue> Split(RenderRun run, TextValue text, TextValue? separator, long max)
    {
        var pieces = new List<TemplateValue>();
        if (separator is null)
        {
            SplitBlanks(run, text, max, pieces);
            return pieces;
        }

        RefuseEmpty(separator);
        var from = 0;
        for (var count = 0L; max < 0 || count < max; count++)
        {
            var at = TextSearch.Find(run, text.Text, separator.Text, from);
            if (at < 0)
            {
                break;
            }

            Add(run, text, from, at, pieces);
            from = at + separator.Text.Length;
        }

        Add(run, text, from, text.Text.Length, pieces);
        return pieces;
    }

    /// <summary>The same from the end.</summary>
    public static List<TemplateValue> SplitLast(RenderRun run, TextValue text, TextValue? separator, long max)
    {
        if (max < 0)
        {
            return Split(run, text, separator, -1);
        }

        var pieces = new List<TemplateValue>();
        var to = text.Text.Length;
        if (separator is null)
        {
            to = PythonText.TrimmedEnd(text.Text);
            while (to > 0 && pieces.Count < max)
            {
                var start = to;
                while (start > 0 && !PythonText.IsSpace(text.Text[start - 1]))
                {
                    start--;
                }

                if (start == 0)
                {
                    break;
                }

                Add(run, text, start, to, pieces);
                to = PythonText.TrimmedEnd(text.Text[..start]);
                run.Make(start);
            }

            if (to > 0)
            {
                Add(run, text, 0, to, pieces);
            }
        }
        else
        {
            RefuseEmpty(separator);
            while (pieces.Count < max && to >= separator.Text.Length)
            {
                var at = TextSearch.FindLastBefore(run, text.Text, separator.Text, to);
                if (at < 0)
                {
                    break;
                }

                Add(run, text, at + separator.Text.Length, to, pieces);
                to = at;
            }

            Add(run, text, 0, to, pieces);
        }

        pieces.Reverse();
        return pieces;
    }

    public static List<TemplateValue> Lines(RenderRun run, TextValue text, bool keepEnds)
    {
        var lines = new List<TemplateValue>();
        for (var from = 0; from < text.Text.Length;)
        {
            var end = from;
            while (end < text.Text.Length && !IsLineEnd(text.Text[end]))
            {
                end++;
            }

            var next = end == text.Text.Length ? end : text.Text[end] == '\r' && end + 1 < text.Text.Length && text.Text[end + 1] == '\n' ? end + 2 : end + 1;
            Add(run, text, from, keepEnds ? next : end, lines);
            from = next;
        }

        return lines;
    }

    /// <summary>Text with so many blanks before, and after, each line.</summary>
    public static TextValue Indent(RenderRun run, TextValue text, TextValue by, bool first, bool blank)
    {
        var output = new TextOutput(run);
        var lines = Lines(run, text, keepEnds: false);

        // An empty last line is one to Python's splitlines only when a character follows; jinja adds one.
        if (text.Text.Length == 0 || IsLineEnd(text.Text[^1]))
        {
            lines.Add(TextValue.Empty);
        }

        for (var at = 0; at < lines.Count; at++)
        {
            var line = (TextValue)lines[at];
            output.Append(at > 0 ? "\n" : "");
            if ((at > 0 || first) && (blank || line.Text.Length > 0 || (at == 0 && first)))
            {
                output.Append(by);
            }

            output.Append(line);
        }

        return output.ToText(text.IsMarkup);
    }

    /// <summary>Text in a field of so many characters.</summary>
    public static TextValue Pad(RenderRun run, TextValue text, long width, TextValue fill, bool left, bool right)
    {
        if (fill.Length != 1)
        {
            throw TemplateException.Type("The fill character must be exactly one character long");
        }

        var missing = Math.Max(0, width - text.Length!.Value);
        var before = !left ? 0 : !right ? missing : (missing / 2) + (missing & width & 1);
        run.Make(text.Text.Length + (missing * fill.Text.Length));
        var output = new TextOutput(run);
        Fill(before);
        output.Append(text);
        Fill(missing - before);
        return output.ToText(text.IsMarkup);

        void Fill(long count)
        {
            for (var turn = 0L; turn < count; turn++)
            {
                output.Append(fill);
            }
        }
    }

    private static TextValue ReplaceEmpty(RenderRun run, TextValue text, TextValue by, long max)
    {
        var output = new TextOutput(run);
        var count = 0L;
        foreach (var character in text.Items(run))
        {
            if (max < 0 || count++ < max)
            {
                output.Append(by);
            }

            output.Append((TextValue)character);
        }

        if (max < 0 || count < max)
        {
            output.Append(by);
        }

        return output.ToText(text.IsMarkup);
    }

    private static void SplitBlanks(RenderRun run, TextValue text, long max, List<TemplateValue> pieces)
    {
        var at = 0;
        while (true)
        {
            while (at < text.Text.Length && PythonText.IsSpace(text.Text[at]))
            {
                at++;
            }

            if (at == text.Text.Length)
            {
                return;
            }

            if (max >= 0 && pieces.Count >= max)
            {
                Add(run, text, at, PythonText.TrimmedEnd(text.Text), pieces);
                return;
            }

            var from = at;
            while (at < text.Text.Length && !PythonText.IsSpace(text.Text[at]))
            {
                at++;
            }

            Add(run, text, from, at, pieces);
        }
    }

    private static void Add(RenderRun run, TextValue text, int from, int to, List<TemplateValue> pieces)
    {
        run.Step();
        run.MakeItems(1);
        run.Make(to - from);
        pieces.Add(text.Cut(from, to - from));
    }

    private static void RefuseEmpty(TextValue separator)
    {
        if (separator.Text.Length == 0)
        {
            throw TemplateException.Value("empty separator");
        }
    }

    private static bool IsLineEnd(char c) => c is '\n' or '\r' or '\v' or '\f' or (>= '\u001c' and <= '\u001e') or '\u0085' or '\u2028' or '\u2029';
}
