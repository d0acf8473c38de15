using System.Text;

namespace LlmOs.Models.Generation;

/// <summary>
/// Passes text through until one of some texts occurs in it, and holds back whatever may yet turn out to be the
/// beginning of one. What has been given out never has to be taken back.
/// </summary>
internal sealed class StopStrings(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>True once a stop text has occurred; nothing more is given out.</summary>
    public bool Matched { get; private set; }

    /// <summary>Takes the next text; gives what is certain to come before any stop text.</summary>
    public string Append(string text)
    {
        if (Matched || text.Length == 0)
        {
            return "";
        }

        if (stops.Count == 0)
        {
            return text;
        }

        var all = _held.Append(text).ToString();
        var cut = FirstStop(all);
        Matched = cut >= 0;
        var certain = Matched ? cut : all.Length - LongestBeginning(all);
        _held.Clear();
        if (!Matched)
        {
            _held.Append(all, certain, all.Length - certain);
        }

        return all[..certain];
    }

    /// <summary>What was still held back when the text ended.</summary>
    public string Finish()
    {
        var rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    private int FirstStop(string all)
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var at = all.IndexOf(stop, StringComparison.Ordinal);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }

        return first;
    }

    /// <summary>Characters at the end of the text that begin some stop text.</summary>
    private int LongestBeginning(string all)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, all.Length); length > longest; length--)
            {
                if (all.AsSpan(all.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
