namespace LlmOs.Formats.Tokenizers;

/// <summary>Finds the tokens of a piece, which begins at <paramref name="at"/> of the text.</summary>
internal delegate void PieceSearch(ReadOnlySpan<char> piece, int at, TokenSink sink);

/// <summary>
/// Results for short pieces that come again and again. A fixed number of places, each holding the last piece that fell
/// on it: bounded whatever texts arrive, readable from any thread without a lock.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer pieces are rare and not kept.</summary>
    public const int MaxLength = 32;

    private const int Places = 1 << 15;

    private readonly Entry?[] _entries = new Entry?[Places];

    public sealed record Entry(string Piece, int[] Ids, int[] Starts, int[] Ends);

    /// <summary>Adds a piece's tokens: as they were found before, or as the search finds them.</summary>
    /// <param name="search">Depends on the piece alone.</param>
    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink, PieceSearch search)
    {
        if (piece.Length > MaxLength)
        {
            search(piece, at, sink);
            return;
        }

        var hash = HashOf(piece);
        if (Find(piece, hash) is { } entry)
        {
            sink.Add(entry.Ids, entry.Starts, entry.Ends, at);
            return;
        }

        using var found = new TokenSink(tracked: true);
        search(piece, 0, found);
        var (starts, ends) = (new int[found.Count], new int[found.Count]);
        for (var i = 0; i < found.Count; i++)
        {
            (starts[i], ends[i]) = (found.StartOf(i), found.EndOf(i));
        }

        sink.Add(found.Ids, starts, ends, at);
        Keep(piece, hash, found.Ids, starts, ends);
    }

    public static uint HashOf(ReadOnlySpan<char> piece)
    {
        var hash = 2166136261u;
        foreach (var unit in piece)
        {
            hash = (hash ^ unit) * 16777619u;
        }

        return hash ^ (hash >> 15);
    }

    public Entry? Find(ReadOnlySpan<char> piece, uint hash)
    {
        var entry = Volatile.Read(ref _entries[hash & (Places - 1)]);
        return entry is not null && piece.SequenceEqual(entry.Piece) ? entry : null;
    }

    public void Keep(ReadOnlySpan<char> piece, uint hash, ReadOnlySpan<int> ids, ReadOnlySpan<int> starts, ReadOnlySpan<int> ends) =>
        Volatile.Write(
            ref _entries[hash & (Places - 1)],
            new Entry(piece.ToString(), ids.ToArray(), starts.ToArray(), ends.ToArray()));
}
