namespace LlmOs.Engine.Text.Tokenizers;

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
