namespace LlmOs.Tools.Tokenizers;

/// <summary>The ways to cut a word into pieces, as a lattice: an edge for each piece at each place. Not safe on several threads.</summary>
internal sealed class UnigramCuts(UnigramPieces pieces)
{
    private readonly List<(int Start, int End, int Id)> _edges = [];

    /// <summary>Adds how often each piece is expected in a word that stands in the text so many times: forward and backward sums.</summary>
    public void AddExpected(string word, long count, double[] expected)
    {
        var length = FindEdges(word, without: -1);
        var (before, after) = (Impossible(length + 1), Impossible(length + 1));
        (before[0], after[length]) = (0, 0);
        foreach (var (start, end, id) in _edges)
        {
            before[end] = LogSum(before[end], before[start] + pieces[id].Score);
        }

        for (var i = _edges.Count - 1; i >= 0; i--)
        {
            var (start, end, id) = _edges[i];
            after[start] = LogSum(after[start], after[end] + pieces[id].Score);
        }

        foreach (var (start, end, id) in _edges)
        {
            expected[id] += count * Math.Exp(before[start] + pieces[id].Score + after[end] - before[length]);
        }
    }

    /// <summary>The likeliest cut.</summary>
    /// <param name="without">A piece that is not to be used; -1: none.</param>
    public (IReadOnlyList<int> Ids, double Score) Best(string word, int without = -1)
    {
        var length = FindEdges(word, without);
        var scores = Impossible(length + 1);
        var last = new (int Start, int Id)[length + 1];
        scores[0] = 0;
        foreach (var (start, end, id) in _edges)
        {
            var score = scores[start] + pieces[id].Score;
            if (score > scores[end])
            {
                (scores[end], last[end]) = (score, (start, id));
            }
        }

        var ids = new List<int>();
        for (var end = length; end > 0; end = last[end].Start)
        {
            ids.Add(last[end].Id);
        }

        ids.Reverse();
        return (ids, scores[length]);
    }

    /// <summary>Edges by their start: whatever ends at a place comes before what begins there.</summary>
    /// <returns>Characters of the word.</returns>
    private int FindEdges(string word, int without)
    {
        _edges.Clear();
        var bounds = UnigramPieces.Bounds(word);
        for (var start = 0; start + 1 < bounds.Length; start++)
        {
            for (var end = start + 1; end < bounds.Length && end - start <= UnigramPieces.MaxCharacters; end++)
            {
                if (pieces.Find(word.AsSpan(bounds[start], bounds[end] - bounds[start])) is >= 0 and var id && id != without)
                {
                    _edges.Add((start, end, id));
                }
            }
        }

        return bounds.Length - 1;
    }

    private static double[] Impossible(int length)
    {
        var values = new double[length];
        values.AsSpan().Fill(double.NegativeInfinity);
        return values;
    }

    private static double LogSum(double one, double other)
    {
        var (max, min) = one > other ? (one, other) : (other, one);
        return double.IsNegativeInfinity(min) ? max : max + Math.Log(1 + Math.Exp(min - max));
    }
}
