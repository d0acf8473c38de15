using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>All tokens that begin at a place of the text, found in one walk.</summary>
internal sealed class SpellingTrie
{
    // Bounds the walk; the longest pieces of published files have a few dozen characters.
    private const int MaxLength = 512;

    private readonly PairTable _edges;
    private readonly int[] _ids;

    public SpellingTrie(IEnumerable<(string Spelling, int Id)> tokens, string component)
    {
        var list = tokens.Where(token => token.Spelling.Length > 0).ToArray();
        var units = 0L;
        foreach (var (spelling, _) in list)
        {
            if (spelling.Length > MaxLength)
            {
                throw new TokenizerFormatException(
                    $"{component}: the token \"{Vocabulary.Shown(spelling)}\" has {spelling.Length} characters; at most {MaxLength} are accepted.");
            }

            units += spelling.Length;
        }

        if (units > 1 << 27)
        {
            throw new TokenizerFormatException($"{component}: the tokens have {units} characters in all; at most {1 << 27} are accepted.");
        }

        _edges = new PairTable((int)units);
        var ids = new List<int> { -1 };
        foreach (var (spelling, id) in list)
        {
            var node = 0;
            foreach (var unit in spelling)
            {
                var next = _edges.Find(node, unit);
                if (next == ulong.MaxValue)
                {
                    next = (ulong)ids.Count;
                    _edges.Set(node, unit, 0, ids.Count);
                    ids.Add(-1);
                }

                node = (int)(uint)next;
            }

            ids[node] = id;
        }

        _ids = [.. ids];
    }

    /// <summary>Goes one UTF-16 unit on.</summary>
    /// <param name="node">0 to begin with.</param>
    /// <param name="id">The token that ends here, or -1.</param>
    public bool Step(ref int node, char unit, out int id)
    {
        var next = _edges.Find(node, unit);
        if (next == ulong.MaxValue)
        {
            id = -1;
            return false;
        }

        node = (int)(uint)next;
        id = _ids[node];
        return true;
    }
}
