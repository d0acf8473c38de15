using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Reading;
using LlmOs.Tools.Datasets.Rows;
using Parquet;
using Parquet.Serialization;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>Parquet of other writers: its types, and files that lie.</summary>
public sealed class ParquetRowsTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Numbers_times_lists_and_structures_become_values_and_json()
    {
        var path = _temp.At("typed.parquet");
        await ParquetSerializer.SerializeAsync(
            [
                new Typed { Text = "é", Small = 3, Big = 1L << 40, Real = 0.5f, Exact = 1.25, Yes = true, Words = ["a", "b"], Messages = [new() { Role = "user", Content = "Hi" }] },
                new Typed { Words = [] },
            ],
            path,
            cancellationToken: Cancel);

        var rows = await ReadAsync(path);

        Assert.Equal(2, rows.Count);
        var first = rows[0].Fields.ToDictionary(f => f.Key, f => f.Value);
        Assert.Equal(("é", 3L, 1L << 40, 0.5, 1.25, true), (first["Text"], first["Small"], first["Big"], first["Real"], first["Exact"], first["Yes"]));
        Assert.Equal(new RawJson("""["a","b"]"""), first["Words"]);
        Assert.Equal(new RawJson("""[{"Role":"user","Content":"Hi"}]"""), first["Messages"]);
        Assert.Null(rows[1].Fields.FirstOrDefault(f => f.Key == "Text").Value); // left away, or null
    }

    [Fact]
    public async Task A_file_that_is_damaged_anywhere_is_read_or_refused_and_never_fails_otherwise()
    {
        const int Seed = 20_261_130;
        var chance = new Random(Seed);
        var path = _temp.At("whole.parquet");
        await ParquetSerializer.SerializeAsync(
            Enumerable.Range(0, 500).Select(i => new Flat { Text = $"row {i}", Number = i }), path, new ParquetOptions { RowGroupSize = 100 }, cancellationToken: Cancel);
        var whole = await File.ReadAllBytesAsync(path, Cancel);

        for (var round = 0; round < 300; round++)
        {
            var bytes = whole.ToArray();
            for (var hit = 0; hit < 3; hit++)
            {
                // The footer, where lies are told, more often than pages.
                var at = chance.Next(2) == 0 ? chance.Next(bytes.Length) : bytes.Length - 1 - chance.Next(Math.Min(bytes.Length, 900));
                bytes[at] = (byte)chance.Next(256);
            }

            var damaged = _temp.At($"damaged-{round}.parquet");
            await File.WriteAllBytesAsync(damaged, chance.Next(4) == 0 ? bytes[..chance.Next(bytes.Length)] : bytes, Cancel);
            try
            {
                await ReadAsync(damaged);
            }
            catch (LlmOsException refusal)
            {
                Assert.Matches("^row [0-9]+: ", refusal.Message);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public async Task A_file_too_short_to_be_one_is_refused(int bytes)
    {
        await File.WriteAllBytesAsync(_temp.At("short"), "PAR1PAR1PAR1"u8[..bytes].ToArray(), Cancel);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ReadAsync(_temp.At("short")));

        Assert.StartsWith("row 1: the Parquet file is damaged", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<List<SourceRow>> ReadAsync(string path)
    {
        List<SourceRow> rows = [];
        await foreach (var row in ParquetRows.ReadAsync(path, new ReadPlan("parquet", null, false, null, true), Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }

    private sealed class Typed
    {
        public string? Text { get; set; }

        public int Small { get; set; }

        public long Big { get; set; }

        public float Real { get; set; }

        public double Exact { get; set; }

        public bool Yes { get; set; }

        public List<string> Words { get; set; } = [];

        public List<Message> Messages { get; set; } = [];
    }

    private sealed class Message
    {
        public string? Role { get; set; }

        public string? Content { get; set; }
    }

    private sealed class Flat
    {
        public string? Text { get; set; }

        public long Number { get; set; }
    }
}
