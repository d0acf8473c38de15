using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Datasets.Reading;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>Rows as they are stored: written, read again, hashed and counted.</summary>
public sealed class StoredRowsTests : IDisposable
{
    private static readonly RowSchema Schema = new(
        [new("text", ColumnType.Text), new("n", ColumnType.Integer), new("x", ColumnType.Number), new("b", ColumnType.Boolean), new("j", ColumnType.Json)]);

    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task What_is_written_is_read_again_from_any_row_on()
    {
        var rows = Enumerable.Range(0, 20_000)
            .Select(i => new object?[] { i % 7 == 0 ? null : $"é{i}", i % 5 == 0 ? null : (long)i, i / 2.0, i % 3 == 0 ? null : i % 2 == 0, i % 11 == 0 ? null : new RawJson($"[{i}]") })
            .ToList();
        var path = _temp.At("rows.parquet");
        await WriteAsync(path, rows);

        foreach (var skip in new[] { 0, 1, 8_191, 8_192, 8_193, 19_999, 20_000 })
        {
            Assert.Equal<object?[]>(rows.Skip(skip), await ReadAsync(path, skip));
        }
    }

    [Fact]
    public async Task Who_reads_stops_at_the_row_where_they_are_cancelled()
    {
        var path = _temp.At("rows.parquet");
        await WriteAsync(path, [.. Enumerable.Range(0, 1_000).Select(i => new object?[] { $"t{i}", (long)i, 0.5, true, null })]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var read = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var row in ParquetRowReader.ReadAsync(path, Schema, 0, stop.Token))
            {
                if (++read == 5)
                {
                    await stop.CancelAsync();
                }
            }
        });

        Assert.Equal(5, read);
    }

    [Fact]
    public void Large_whole_numbers_beside_fractions_keep_their_digits()
    {
        var builder = new SchemaBuilder();
        builder.See("id", 9_007_199_254_740_993L);
        builder.See("id", 0.5);
        builder.See("x", 3L);
        builder.See("x", 0.5);
        var schema = builder.Build();

        Assert.Equal([ColumnType.Json, ColumnType.Number], schema.Columns.Select(c => c.Type));
        Assert.Equal(new RawJson("9007199254740993"), schema.Columns[0].Fit(9_007_199_254_740_993L));
    }

    [Fact]
    public void Statistics_count_characters_and_hold_numbers_of_any_size()
    {
        var texts = new ColumnStatistics(new RowColumn("t", ColumnType.Text));
        texts.Add("😀😀");
        var numbers = new ColumnStatistics(new RowColumn("n", ColumnType.Number));
        numbers.Add(1e308);
        numbers.Add(1e308);

        Assert.Equal(2, texts.ToView().MaxLength);
        Assert.Equal((1e308, (double?)null), (numbers.ToView().Max, numbers.ToView().Mean));
    }

    [Fact]
    public async Task The_same_rows_are_the_same_bytes()
    {
        List<object?[]> rows = [.. Enumerable.Range(0, 100).Select(i => new object?[] { $"t{i}", (long)i, 0.5, true, null })];
        await WriteAsync(_temp.At("a"), rows);
        await WriteAsync(_temp.At("b"), rows);

        Assert.Equal(await File.ReadAllBytesAsync(_temp.At("a"), Cancel), await File.ReadAllBytesAsync(_temp.At("b"), Cancel));
    }

    [Fact]
    public void The_hash_goes_by_rows_and_splits_alone()
    {
        var one = Digest(["a", "b"], [("train", ["x", "y"]), ("test", ["z", null])]);

        Assert.Equal(one, Digest(["b", "a"], [("test", [null, "z"]), ("train", ["y", "x"])])); // the order of columns and splits
        Assert.Equal(one, Digest(["a", "b", "c"], [("train", ["x", "y", null]), ("test", ["z", null, null])])); // a column that is empty
        Assert.NotEqual(one, Digest(["a", "b"], [("train", ["x", "y"]), ("train", ["z", null])]));
        Assert.NotEqual(one, Digest(["a", "b"], [("train", ["y", "x"]), ("test", ["z", null])]));
        Assert.NotEqual(Digest(["a"], [("t", ["1"]), ("t", ["2"])]), Digest(["a"], [("t", ["2"]), ("t", ["1"])]));
        Assert.Equal(64, one.Length);

        static string Digest(string[] columns, (string Split, object?[] Values)[] rows)
        {
            using var digest = new RowDigest(new RowSchema([.. columns.Select(c => new RowColumn(c, ColumnType.Text))]));
            foreach (var (split, values) in rows)
            {
                digest.Add(split, values);
            }

            return digest.Finish();
        }
    }

    [Fact]
    public void A_column_has_the_type_that_all_its_values_have()
    {
        var builder = new SchemaBuilder();
        (string, object?)[] seen = [("a", 1L), ("b", "x"), ("c", null), ("d", true), ("a", 1.5), ("b", 2L), ("e", new RawJson("[]")), ("d", null)];
        foreach (var (name, value) in seen)
        {
            builder.See(name, value);
        }

        Assert.Equal(
            [("a", ColumnType.Number), ("b", ColumnType.Json), ("c", ColumnType.Text), ("d", ColumnType.Boolean), ("e", ColumnType.Json)],
            builder.Build().Columns.Select(c => (c.Name, c.Type)));
        Assert.Equal(new RawJson("\"x\""), new RowColumn("b", ColumnType.Json).Fit("x"));
        Assert.Equal(1.0, new RowColumn("a", ColumnType.Number).Fit(1L));
    }

    [Fact]
    public void Statistics_of_a_column_are_those_counted_by_hand()
    {
        var texts = new ColumnStatistics(new RowColumn("t", ColumnType.Text));
        foreach (var text in new[] { "ab", "", null, "abcd", "ab" })
        {
            texts.Add(text);
        }

        var view = texts.ToView();
        Assert.Equal((1, 3, true, 0, 4, 2.0), (view.Nulls, view.Distinct, view.DistinctIsExact, view.MinLength, view.MaxLength, view.MeanLength));
        Assert.Equal([1, 0, 2, 1], view.Lengths!);
        Assert.Equal([new("ab", 2), new("", 1), new("abcd", 1)], view.Values!);

        var numbers = new ColumnStatistics(new RowColumn("n", ColumnType.Integer));
        foreach (var number in new object?[] { 3L, 1L, 8L, null })
        {
            numbers.Add(number);
        }

        Assert.Equal((1.0, 8.0, 4.0, 3, null), (numbers.ToView().Min, numbers.ToView().Max, numbers.ToView().Mean, numbers.ToView().Distinct, numbers.ToView().MaxLength));
    }

    [Fact]
    public void Different_values_beyond_memory_are_estimated_within_two_percent()
    {
        var distinct = new DistinctCount();
        for (var i = 0; i < 1_000_000; i++)
        {
            distinct.Add($"value {i % 700_000}");
        }

        Assert.False(distinct.IsExact);
        Assert.InRange(distinct.Count, 686_000, 714_000);
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("+1", "'+1")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("plain", "plain")]
    [InlineData("a,\"b\"", "\"a,\"\"b\"\"\"")]
    [InlineData("line\nbreak", "\"line\nbreak\"")]
    public void A_cell_that_spreadsheets_would_run_is_made_harmless(string text, string cell) => Assert.Equal(cell, CsvCell.Of(text));

    [Fact]
    public void A_negative_number_is_no_formula() => Assert.Equal("-5", CsvCell.Of(-5L));

    [Theory]
    [InlineData("data/test-00000-of-00002.parquet", "test")]
    [InlineData("train.csv", "train")]
    [InlineData("en/validation/0.jsonl", "validation")]
    [InlineData("wiki.valid.raw", "validation")]
    [InlineData("dev.jsonl", "validation")]
    [InlineData("latest.csv", "train")]
    [InlineData("contest.csv", "train")]
    public void A_files_name_says_its_split(string name, string split) => Assert.Equal(split, SourceSplits.Of(name));

    [Theory]
    [InlineData("Uppercase")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("-a")]
    public void What_is_no_name_is_refused(string name) => Assert.Equal("dataset", Assert.Throws<LlmOsException>(() => DatasetName.Check(name, "dataset")).Field);

    [Fact]
    public void A_reference_is_a_name_and_a_number()
    {
        Assert.Equal(("a", 3), DatasetName.Parse("a:3", "dataset"));
        Assert.Equal(("a", null), DatasetName.Parse("a", "dataset"));
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Throws<LlmOsException>(() => DatasetName.Parse("a:x", "dataset")).Code);
    }

    private static async Task WriteAsync(string path, List<object?[]> rows)
    {
        await using var writer = await ParquetRowWriter.CreateAsync(path, Schema, Cancel);
        foreach (var row in rows)
        {
            await writer.AddAsync(row, Cancel);
        }
    }

    private static async Task<List<object?[]>> ReadAsync(string path, long skip)
    {
        List<object?[]> rows = [];
        await foreach (var row in ParquetRowReader.ReadAsync(path, Schema, skip, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }
}
