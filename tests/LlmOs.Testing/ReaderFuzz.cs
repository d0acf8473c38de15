using Xunit;

namespace LlmOs.Testing;

/// <summary>Spoils a real file 10,000 times: its reader gives a value or its own refusal, and takes memory within a bound.</summary>
public static class ReaderFuzz
{
    private const int Cases = 10_000;

    /// <param name="isRefusal">Which exceptions are the reader's own refusals.</param>
    /// <param name="allowedBytes">Memory that one reading may allocate.</param>
    public static void Run(string path, Action<byte[]> read, Func<Exception, bool> isRefusal, long allowedBytes)
    {
        var original = File.ReadAllBytes(path);
        Assert.InRange(original.Length, 1, 16 << 20);
        var refused = 0;
        foreach (var seed in Enumerable.Range(0, Cases))
        {
            var bytes = Mutations.Spoil(original, seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(bytes);
            }
            catch (Exception fault) when (isRefusal(fault))
            {
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"{Path.GetFileName(path)}, seed {seed}: {fault}");
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= allowedBytes, $"{Path.GetFileName(path)}, seed {seed}: {allocated} bytes were allocated.");
        }

        Assert.InRange(refused, 1, Cases - 1); // the mutations do reach the reader
    }
}
