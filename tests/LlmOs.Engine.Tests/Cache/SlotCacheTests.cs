using System.Runtime.InteropServices;
using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests.Cache;

public sealed unsafe partial class SlotCacheTests
{
    private static readonly DecoderShape Shape = new(Layers: 2, KvHeads: 3, HeadDim: 5, Vocabulary: 10, ContextLength: 400);

    [Fact]
    public unsafe void What_was_saved_is_put_into_another_slot_to_the_last_bit()
    {
        var shape = new DecoderShape(Layers: 3, KvHeads: 2, HeadDim: 4, Vocabulary: 1, ContextLength: 9) { Cross = new CrossShape(Heads: 2, HeadDim: 2, MaxSource: 5, SourceVocabulary: 1, PadToken: 0) };
        using var cache = new SlotCache(shape, slots: 3, capacity: 9);
        var random = new Random(3);
        for (var layer = 0; layer < 3; layer++)
        {
            foreach (var memory in new[] { cache.KeysOf(layer, 1), cache.ValuesOf(layer, 1) })
            {
                Numbers(random, 2 * 9 * 4).CopyTo(new Span<float>((void*)memory, 2 * 9 * 4));
            }

            cache.SetSource(layer, 1, Numbers(random, 2 * 3 * 2), Numbers(random, 2 * 3 * 2), tokens: 3, stride: 3);
        }

        using var saved = cache.Save(slot: 1, tokens: 7);
        cache.Restore(saved, slot: 2);

        Assert.Equal(3, cache.SourceLength(2));
        Assert.Equal((2L * 3 * 2 * 7 * 4 * sizeof(float)) + (2L * 3 * 2 * 3 * 2 * sizeof(float)), saved.Bytes);
        for (var layer = 0; layer < 3; layer++)
        {
            for (var head = 0; head < 2; head++)
            {
                Assert.Equal(Floats(cache.KeysOf(layer, 1), head * 9 * 4, 7 * 4), Floats(cache.KeysOf(layer, 2), head * 9 * 4, 7 * 4));
                Assert.Equal(Floats(cache.ValuesOf(layer, 1), head * 9 * 4, 7 * 4), Floats(cache.ValuesOf(layer, 2), head * 9 * 4, 7 * 4));
                Assert.Equal(Floats(cache.CrossKeysOf(layer, 1), head * 5 * 2, 3 * 2), Floats(cache.CrossKeysOf(layer, 2), head * 5 * 2, 3 * 2));
                Assert.Equal(Floats(cache.CrossValuesOf(layer, 1), head * 5 * 2, 3 * 2), Floats(cache.CrossValuesOf(layer, 2), head * 5 * 2, 3 * 2));
            }
        }
    }

    [Fact]
    public void A_cache_that_is_refused_leaves_no_finaliser_that_fails()
    {
        void Refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new SlotCache(new DecoderShape(1, 1, 1, 1, 1), slots: 0, capacity: 1));
        Refused();

        // A finaliser that throws ends the process, and this test with it.
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public void Slots_are_contiguous_and_aligned()
    {
        using var cache = new SlotCache(Shape, slots: 4, capacity: 400);

        Assert.Equal(3L * 400 * 5 * sizeof(float), cache.SlotBytes);
        Assert.Equal(2L * 2 * 4 * cache.SlotBytes, cache.Bytes);
        Assert.Equal(0, cache.KeysOf(0, 0) % 64);
        Assert.Equal(0, cache.ValuesOf(1, 0) % 64);
        Assert.Equal(cache.KeysOf(1, 0) + (3 * (nint)cache.SlotBytes), cache.KeysOf(1, 3));
    }

    [Fact]
    public void A_slot_takes_the_memory_of_its_tokens_and_gives_it_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: what is resident is asked of mincore");
        var shape = new DecoderShape(Layers: 2, KvHeads: 3, HeadDim: 64, Vocabulary: 10, ContextLength: 8192);
        using var cache = new SlotCache(shape, slots: 4, capacity: 8192);
        const long tokenBytes = 2L * 2 * 3 * 64 * sizeof(float);
        const long perRun = SlotMemory.RunBytes / (64 * sizeof(float));
        var edges = 2L * 2 * 3 * 4 * 2 * Environment.SystemPageSize; // two shared pages of each row

        Assert.InRange(Resident(cache), 0, edges);

        cache.Prepare(slot: 2, tokens: 1000);
        Assert.Equal(1024, cache.PreparedTokens);
        Assert.InRange(Resident(cache), 1024 * tokenBytes, (1024 * tokenBytes) + edges);

        cache.GiveBack(slot: 2, keep: 300);
        Assert.Equal(2 * perRun, cache.PreparedTokens);
        Assert.InRange(Resident(cache), 2 * perRun * tokenBytes, (2 * perRun * tokenBytes) + edges);

        // What moves to another slot takes room there, and no more than it has tokens.
        cache.Exchange(2, 300, 0, 0);
        cache.GiveBack(slot: 2, keep: 0);
        Assert.Equal(2 * perRun, cache.PreparedTokens);
        Assert.InRange(Resident(cache), 2 * perRun * tokenBytes, (2 * perRun * tokenBytes) + edges);

        cache.GiveBack(slot: 0, keep: 0);
        Assert.InRange(Resident(cache), 0, edges);
    }

    [Fact]
    public void Tokens_beyond_a_slot_are_refused()
    {
        using var cache = new SlotCache(Shape, slots: 2, capacity: 4);

        Assert.Throws<ArgumentOutOfRangeException>(() => cache.CopyTokens(0, 1, 0, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Exchange(0, 1, 1, 5));
    }

    [Fact]
    public void Copies_and_exchanges_move_and_what_is_given_back_leaves_exactly_the_tokens_named()
    {
        // A model of what every slot holds, token by token; anything not promised is unknown (-1).
        const int slots = 5;
        using var cache = new SlotCache(Shape, slots, Shape.ContextLength);
        var random = new Random(9);
        var held = new List<int>[slots];
        var next = 0;
        for (var slot = 0; slot < slots; slot++)
        {
            held[slot] = [];
        }

        for (var round = 0; round < 400; round++)
        {
            var (a, b) = (random.Next(slots), random.Next(slots));
            switch (random.Next(5))
            {
                case 4:
                    var keep = random.Next(held[a].Count + 1);
                    cache.GiveBack(a, keep);
                    held[a] = [.. held[a][..keep]];
                    break;
                case 0 when held[a].Count < Shape.ContextLength:
                    for (var count = random.Next(1, 90); count > 0 && held[a].Count < Shape.ContextLength; count--)
                    {
                        Write(cache, a, held[a].Count, next);
                        held[a].Add(next++);
                    }

                    break;
                case 1 when a != b:
                    var end = random.Next(held[a].Count + 1);
                    var start = random.Next(Math.Min(end, held[b].Count) + 1);
                    cache.CopyTokens(a, b, start, end);
                    held[b] = [.. held[b][..start], .. held[a][start..end]];
                    break;
                case 2:
                    var (keepA, keepB) = (random.Next(held[a].Count + 1), random.Next(held[b].Count + 1));
                    if (a == b)
                    {
                        keepB = keepA;
                    }

                    cache.Exchange(a, keepA, b, keepB);
                    (held[a], held[b]) = (held[b][..keepB], held[a][..keepA]);
                    break;
                case 3 when random.Next(5) == 0:
                    held[a] = [];
                    break;
            }

            for (var slot = 0; slot < slots; slot++)
            {
                for (var token = 0; token < held[slot].Count; token++)
                {
                    Assert.True(Holds(cache, slot, token, held[slot][token]), $"round {round}: slot {slot} lost token {token}");
                }
            }
        }

        Assert.True(next > 1000);
    }

    private static void Write(SlotCache cache, int slot, int token, int mark)
    {
        cache.Prepare(slot, token + 1);
        foreach (var (memory, offset, value) in Places(cache, slot, token, mark))
        {
            *(float*)(memory + offset) = value;
        }
    }

    private static bool Holds(SlotCache cache, int slot, int token, int mark)
    {
        foreach (var (memory, offset, value) in Places(cache, slot, token, mark))
        {
            if (*(float*)(memory + offset) != value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Every float of one token, with a value that tells layer, head, element, K and V apart.</summary>
    private static List<(nint Memory, nint Offset, float Value)> Places(SlotCache cache, int slot, int token, int mark)
    {
        var places = new List<(nint, nint, float)>();
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            for (var head = 0; head < Shape.KvHeads; head++)
            {
                for (var i = 0; i < Shape.HeadDim; i++)
                {
                    var offset = (nint)((((head * cache.Capacity) + token) * Shape.HeadDim) + i) * sizeof(float);
                    var value = (mark * 100) + (layer * 30) + (head * 10) + i;
                    places.Add((cache.KeysOf(layer, slot), offset, value));
                    places.Add((cache.ValuesOf(layer, slot), offset, -value));
                }
            }
        }

        return places;
    }

    /// <summary>Bytes of the cache's keys and values that are in memory.</summary>
    private static long Resident(SlotCache cache)
    {
        var page = Environment.SystemPageSize;
        var pages = 0L;
        for (var layer = 0; layer < cache.Layers; layer++)
        {
            foreach (var memory in new[] { cache.KeysOf(layer, 0), cache.ValuesOf(layer, 0) })
            {
                var begin = memory / page * page;
                var bytes = memory + (nint)(cache.Slots * cache.SlotBytes) - begin;
                var there = new byte[(bytes + page - 1) / page];
                Assert.Equal(0, Mincore(begin, (nuint)bytes, there));
                pages += there.Count(one => (one & 1) == 1);
            }
        }

        return pages * page;
    }

    [LibraryImport("libc", EntryPoint = "mincore")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Mincore(nint address, nuint length, [Out] byte[] pages);

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];

    private static unsafe float[] Floats(nint memory, int start, int count) => new Span<float>((float*)memory + start, count).ToArray();
}
