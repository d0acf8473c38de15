using System.Buffers;

namespace LlmOs.Models.Registry.Cards;

/// <summary>
/// What a Markdown text may cost its renderer, told from its lines alone. The renderer's time grows with the marks of a
/// paragraph times its length, and its tables with columns times rows; both are bounded here, before it begins.
/// </summary>
internal static class CardCost
{
    /// <summary>Marks times characters, over all paragraphs: a quarter of a second on a slow machine.</summary>
    public const long MaxWork = 40_000_000;

    /// <summary>Cells of one table, those that the renderer adds to short rows included.</summary>
    public const int MaxCells = 20_000;

    /// <summary>Quotes within quotes.</summary>
    private const int MaxQuotes = 50;

    private static readonly SearchValues<char> Marks = SearchValues.Create("[]()!*_<`~^");

    /// <summary>Whether the text may be given to the renderer.</summary>
    public static bool IsWithin(string markdown)
    {
        var (work, paragraph, fence) = (0L, new Paragraph(), '\0');
        foreach (var each in markdown.AsSpan().EnumerateLines())
        {
            var line = each.TrimStart(' ');
            var indent = each.Length - line.Length;
            if (fence != '\0')
            {
                // The renderer may take this for more code; then what follows is counted though it costs nothing.
                fence = IsFence(line, fence) ? '\0' : fence;
                continue;
            }

            if (line.IsWhiteSpace() || (indent <= 3 && BeginsBlock(line)))
            {
                work += paragraph.Work;
                paragraph = default;
            }

            // A fence within a list or a quote may end with it, so only one at the margin counts.
            if (indent == 0 && (IsFence(line, '~') || (IsFence(line, '`') && !line.TrimStart('`').Contains('`'))))
            {
                fence = line[0];
                continue;
            }

            if (line.Length - line.TrimStart("> ").Length > 2 * MaxQuotes)
            {
                return false;
            }

            paragraph.Add(line);
            if (work + paragraph.Work > MaxWork || paragraph.Cells > MaxCells)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsFence(ReadOnlySpan<char> line, char mark) => line.Length >= 3 && line[0] == mark && line[1] == mark && line[2] == mark;

    /// <summary>Items of lists and headings: they end a paragraph without an empty line. Numbered items do not always.</summary>
    private static bool BeginsBlock(ReadOnlySpan<char> line) =>
        line[0] == '#' || (line.Length > 1 && line[0] is '-' or '*' or '+' && line[1] == ' ');

    private struct Paragraph
    {
        private long _marks;
        private long _length;
        private long _rows;
        private long _columns;

        public readonly long Work => _marks * _length;

        public readonly long Cells => _rows * _columns;

        public void Add(ReadOnlySpan<char> line)
        {
            var bars = line.Count('|');
            _length += line.Length + 1;
            _rows += bars > 0 ? 1 : 0;
            _columns = Math.Max(_columns, bars + 1);
            foreach (var character in line)
            {
                _marks += Marks.Contains(character) ? 1 : 0;
            }
        }
    }
}
