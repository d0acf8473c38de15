namespace LlmOs.Models.Import.Gguf;

/// <summary>Where a published row is stored, where llama.cpp's converter changes the order.</summary>
internal static class RowOrders
{
    /// <summary>Elements i and i + d/2 of a published head are neighbours in the file.</summary>
    public static Func<long, long> PairsApart(int width) => row =>
    {
        var (head, i, half) = (row / width, row % width, width / 2);
        return (head * width) + (i % half * 2) + (i / half);
    };

    /// <summary>Published: query, key and value of a head, then the next head. Stored: all queries, all keys, all values.</summary>
    public static Func<long, long> HeadByHead(int heads, int width) => GroupByGroup(heads, heads, width);

    /// <summary>Published: the queries of a key, the key and its value, then the next key. Stored: all queries, all keys, all values.</summary>
    public static Func<long, long> GroupByGroup(int heads, int kvHeads, int width) => row =>
    {
        var queries = heads / kvHeads;
        var (group, place, i) = (row / ((queries + 2) * width), row / width % (queries + 2), row % width);
        var head = place < queries ? (group * queries) + place : heads + ((place - queries) * kvHeads) + group;
        return (head * width) + i;
    };
}
