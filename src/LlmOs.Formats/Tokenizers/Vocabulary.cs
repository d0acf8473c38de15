using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Spellings and ids of a model, without the added tokens.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly string?[] _spellings;

    private Vocabulary(Dictionary<string, int> ids, string?[] spellings)
    {
        _ids = ids;
        _bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _spellings = spellings;
    }

    public int Count => _ids.Count;

    /// <summary>One more than the highest id.</summary>
    public int Size => _spellings.Length;

    public bool TryGet(ReadOnlySpan<char> spelling, out int id) => _bySpan.TryGetValue(spelling, out id);

    public int? Find(string spelling) => _ids.TryGetValue(spelling, out var id) ? id : null;

    public string? SpellingOf(int id) => (uint)id < (uint)_spellings.Length ? _spellings[id] : null;

    /// <summary>Builds the table; refuses an id that is used twice or lies far outside.</summary>
    public static Vocabulary Of(IEnumerable<KeyValuePair<string, int>> entries, string component)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var highest = -1;
        foreach (var (spelling, id) in entries)
        {
            if (!ids.TryAdd(spelling, id))
            {
                throw new TokenizerFormatException($"{component}: the token \"{Shown(spelling)}\" is there twice.");
            }

            highest = Math.Max(highest, id);
        }

        CheckRange(highest, ids.Count, component);
        var spellings = new string?[highest + 1];
        foreach (var (spelling, id) in ids)
        {
            if (id < 0)
            {
                throw new TokenizerFormatException($"{component}: the token \"{Shown(spelling)}\" has the id {id}; ids begin at 0.");
            }

            if (spellings[id] is { } other)
            {
                throw new TokenizerFormatException(
                    $"{component}: \"{Shown(other)}\" and \"{Shown(spelling)}\" share the id {id}.");
            }

            spellings[id] = spelling;
        }

        return new Vocabulary(ids, spellings);
    }

    /// <summary>Builds the table of a list of pieces; of equal pieces the last one is found.</summary>
    public static Vocabulary OfList(IReadOnlyList<string> spellings)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < spellings.Count; id++)
        {
            ids[spellings[id]] = id;
        }

        return new Vocabulary(ids, [.. spellings]);
    }

    /// <summary>Refuses ids that would make the id table much larger than the file that asks for it.</summary>
    public static void CheckRange(int highest, int count, string component)
    {
        var limit = (4L * count) + 65_536;
        if (highest >= limit)
        {
            throw new TokenizerFormatException(
                $"{component}: the id {highest} is out of range; with {count} tokens, ids below {limit} are accepted.");
        }
    }

    public static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
