using System.IO.Compression;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Reading;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Tests.Datasets;

/// <summary>Rows as files have them: each format, and what hostile files get for an answer.</summary>
public sealed class SourceRowsTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Csv_cells_hold_delimiters_quotes_and_line_breaks_in_quotes()
    {
        var rows = await ReadAsync("csv", "\uFEFFtext,label\r\n\"a, \"\"b\"\"\r\nc\",x\r\n\r\nplain,\n");

        Assert.Equal(["text=a, \"b\"\r\nc|label=x", "text=plain|label="], rows);
    }

    [Theory]
    [InlineData("a;b,c;d\n1;2,3;4\n", "a=1|b,c=2,3|d=4")]
    [InlineData("a\tb\n1\t2\n", "a=1|b=2")]
    [InlineData("a|b|c\n1|2|3", "a=1|b=2|c=3")]
    [InlineData("\"x,y\";z\n1;2\n", "x,y=1|z=2")]
    [InlineData("only\nrow\n", "only=row")]
    public async Task The_delimiter_is_the_one_that_the_first_line_has_most_of(string csv, string row) => Assert.Equal([row], await ReadAsync("csv", csv));

    [Fact]
    public async Task A_csv_reads_the_same_in_pieces_of_any_size()
    {
        var csv = "a,b\r\n\"x\"\"y\",\"1\r2\"\r\nz,\"\"\r\n";
        List<string> whole = [];
        for (var size = 1; size <= csv.Length; size++)
        {
            var parser = new CsvParser((byte)',', Plan("csv"));
            var bytes = Encoding.UTF8.GetBytes(csv);
            List<string> cells = [];
            for (var at = 0; at < bytes.Length; at += size)
            {
                var piece = bytes.AsSpan(at, Math.Min(size, bytes.Length - at));
                while (piece.Length > 0)
                {
                    piece = piece[parser.Take(piece)..];
                    Collect(parser, cells);
                }
            }

            parser.Finish();
            Collect(parser, cells);
            whole.Add(string.Join('/', cells));
        }

        Assert.Equal("a/b/x\"y/1\r2/z/", Assert.Single(whole.Distinct()));

        static void Collect(CsvParser parser, List<string> cells)
        {
            if (parser.IsWhole)
            {
                for (var cell = 0; cell < parser.Count && !parser.IsEmptyLine; cell++)
                {
                    cells.Add(Encoding.UTF8.GetString(parser.Cell(cell)));
                }

                parser.Next();
            }
        }
    }

    [Fact]
    public async Task Without_a_header_columns_are_numbered() =>
        Assert.Equal(["column1=Hi.|column2=嗨。"], await ReadAsync("tsv", "Hi.\t嗨。\n", Plan("tsv") with { HasHeader = false }));

    [Fact]
    public async Task A_text_gives_a_row_for_each_line_that_is_not_empty() =>
        Assert.Equal(["text=one", "text= two", "text=three"], await ReadAsync("text", "one\n\n two\r\n\r\nthree"));

    [Fact]
    public async Task A_sentence_of_conlls_columns_is_a_row_of_tokens_and_their_tags() =>
        Assert.Equal(
            ["""tokens=["EU","rejects"]|ner_tags=["B-ORG","O"]""", """tokens=["New York","\"#\""]|ner_tags=["B-LOC","O"]"""],
            await ReadAsync("conll", "-DOCSTART- -X- O O\r\n\r\nEU NNP I-NP B-ORG\r\nrejects VBZ I-VP O\r\n \n\nNew York\tB-LOC\n\"#\"\tO"));

    [Fact]
    public async Task Json_lines_keep_types_and_nested_values() =>
        Assert.Equal(
            ["a=x|b=1|c=1.5|d=True|e=|f={\"g\":[1,\"é\"]}"],
            await ReadAsync("jsonl", "{\"a\":\"x\",\"b\":1,\"c\":1.5,\"d\":true,\"e\":null,\"f\":{\"g\" : [1, \"\\u00e9\"]}}\n\n"));

    [Fact]
    public async Task A_list_of_objects_is_read_object_by_object()
    {
        var json = "\uFEFF [ " + string.Join(" ,\n", Enumerable.Range(0, 20_000).Select(i => $"{{\"n\":{i},\"t\":\"[{{,]}}\"}}")) + " ] \n";

        var rows = await ReadAsync("json", json);

        Assert.Equal(20_000, rows.Count);
        Assert.Equal("n=19999|t=[{,]}", rows[^1]);
    }

    [Fact]
    public async Task Windows_text_is_read_when_it_is_named_and_refused_with_its_row_when_not()
    {
        var bytes = Encoding.Latin1.GetBytes("text\nfine\ncaf\u00E9\n");

        Assert.Equal(["text=fine", "text=café"], await ReadAsync("csv", bytes, Plan("csv") with { IsWindows = true }));
        var refusal = await RefusedAsync("csv", bytes);
        Assert.StartsWith("row 2: 'text' is not UTF-8.", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("windows-1252", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gzip_is_unpacked_whatever_the_name_says()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync("{\"a\":1}\n"u8.ToArray(), Cancel);
        }

        Assert.Equal(["a=1"], await ReadAsync("jsonl", packed.ToArray()));
    }

    public static TheoryData<string, string, string> Hostile => new()
    {
        { "jsonl", "{\"a\":1}\n{\"a\":\"\\ud800\"}\n", "row 2: 'a' holds half of a surrogate pair." },
        { "jsonl", "{\"a\":[{\"b\":\"\\udc00x\"}]}\n", "row 1: 'a' holds half of a surrogate pair." },
        { "jsonl", "{\"a\":\"x\\u0000y\"}\n", "row 1: 'a' holds the character U+0000." },
        { "jsonl", "{\"a\":1}\nnot json\n", "row 2: is not JSON" },
        { "jsonl", "{\"a\":1}\n[1]\n", "row 2: expected an object" },
        { "jsonl", "{\"a\":1,\"a\":2}\n", "row 1: is not JSON" },
        { "json", "{\"a\":1}", "row 1: the file is no list of objects" },
        { "json", "[{\"a\":1},{\"a\":", "row 2: " },
        { "json", "[{\"a\":1}", "row 2: " },
        { "json", "[{\"a\":1} {\"a\":2}]", "row 2: is not JSON" },
        { "csv", "a,b\n1,2\n3\n", "row 2: has 1 cells, where there are 2 columns." },
        { "csv", "a,b\n1,\"2\n3,4\n", "row 1: has a quote that is not closed" },
        { "csv", "a,a\n1,2\n", "The header names the column 'a' 2 times." },
        { "csv", "a\nx\0y\n", "row 1: 'a' holds the character U+0000." },
        { "text", "fine\nx\0y\n", "row 2: holds the character U+0000." },
        { "conll", "EU B-ORG\n\nrejects\n", "row 2: 'rejects' is one column" },
        { "conll", "EU B-ORG\n\nx\0 O\n", "row 2: holds the character U+0000." },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_bad_row_is_refused_by_its_number_and_field(string format, string text, string message) =>
        Assert.StartsWith(message, (await RefusedAsync(format, Encoding.UTF8.GetBytes(text))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("text", "fine\n")]
    [InlineData("jsonl", "{\"a\":1}\n")]
    [InlineData("csv", "a\nfine\n")]
    [InlineData("json", "[{\"a\":1},")]
    public async Task A_row_of_ten_megabytes_is_refused_by_its_number(string format, string before)
    {
        var bytes = Encoding.UTF8.GetBytes(before + (format is "json" or "jsonl" ? "{\"a\":\"" : "") + new string('x', 10_000_000));

        var refusal = await RefusedAsync(format, bytes);

        Assert.Equal(ErrorCode.TooLarge, refusal.Code);
        Assert.StartsWith("row 2: is longer than 8388608 bytes", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("jsonl")]
    public async Task A_million_columns_are_refused(string format)
    {
        var names = Enumerable.Range(0, 1_000_000).Select(i => $"c{i}");
        var text = format == "csv" ? string.Join(',', names) + "\n" : "{" + string.Join(',', names.Take(500_000).Select(n => $"\"{n}\":1")) + "}\n";

        var refusal = await RefusedAsync(format, Encoding.UTF8.GetBytes(text));

        Assert.Equal(ErrorCode.TooLarge, refusal.Code);
        Assert.Contains("1024", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gzip_bomb_is_refused_before_it_is_unpacked()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var line = Encoding.UTF8.GetBytes(new string('a', 1_000_000 - 1) + "\n");
            for (var i = 0; i < 300; i++)
            {
                await gzip.WriteAsync(line, Cancel);
            }
        }

        var refusal = await RefusedAsync("text", packed.ToArray());

        Assert.Equal(ErrorCode.TooLarge, refusal.Code);
        Assert.Contains("unpacks to more than", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("csv")]
    [InlineData("jsonl")]
    public async Task A_gzip_that_ends_too_early_is_refused_wherever_it_was_cut(string format)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"n\":{i}}}\n"))), Cancel);
        }

        var whole = packed.ToArray();
        foreach (var missing in new[] { 1, 4, 8, 9, whole.Length / 2 })
        {
            Assert.Contains("is not whole gzip", (await RefusedAsync(format, whole[..^missing])).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("[{\"a\":1}]\n[{\"a\":2}]\n")]
    [InlineData("[{\"a\":1}] x")]
    public async Task What_stands_behind_a_json_list_is_refused(string json) =>
        Assert.Contains("row 2: stands behind the end of the list", (await RefusedAsync("json", Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task White_space_may_stand_behind_a_json_list() => Assert.Equal(["a=1"], await ReadAsync("json", "[{\"a\":1}]\r\n \n"));

    [Theory]
    [InlineData("a\n", "text=a")]
    [InlineData("a\nb", "text=a", "text=b")]
    [InlineData("\n\n")]
    public async Task The_shortest_texts_are_read_by_lines(string text, params string[] rows) => Assert.Equal(rows, await ReadAsync("text", text));

    [Fact]
    public async Task A_whole_number_beyond_64_bits_keeps_its_digits() =>
        Assert.Equal(["id=12345678901234567890"], await ReadAsync("jsonl", "{\"id\":12345678901234567890}\n"));

    [Fact]
    public async Task A_gzip_that_is_damaged_is_refused()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[100_000], Cancel);
        }

        var bytes = packed.ToArray();
        bytes[20_000] ^= 0xFF;
        bytes[10] ^= 0xFF;

        Assert.Contains(ErrorCode.CorruptFile.ToString(), (await RefusedAsync("text", bytes)).Code.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Banking77_reads_as_many_rows_as_its_publishers_state()
    {
        var rows = 0;
        await foreach (var row in SourceFormat.ReadAsync(SharedFolder.Require("data", "banking77", "train.csv"), Plan("csv"), Cancel))
        {
            rows++;
            Assert.Equal(rows, row.Number);
            Assert.Equal(2, row.Fields.Count);
        }

        Assert.Equal(10_003, rows);
    }

    private static ReadPlan Plan(string format) => new(format, null, IsWindows: false, null, HasHeader: true);

    private Task<List<string>> ReadAsync(string format, string text, ReadPlan? plan = null) => ReadAsync(format, Encoding.UTF8.GetBytes(text), plan);

    private async Task<List<string>> ReadAsync(string format, byte[] bytes, ReadPlan? plan = null)
    {
        var path = _temp.At(Guid.NewGuid().ToString("n"));
        await File.WriteAllBytesAsync(path, bytes, Cancel);
        List<string> rows = [];
        await foreach (var row in SourceFormat.ReadAsync(path, plan ?? Plan(format), Cancel))
        {
            rows.Add(string.Join('|', row.Fields.Select(f => FormattableString.Invariant($"{f.Key}={(f.Value is RawJson json ? json.Text : f.Value)}"))));
        }

        return rows;
    }

    private Task<LlmOsException> RefusedAsync(string format, byte[] bytes) => Assert.ThrowsAsync<LlmOsException>(() => ReadAsync(format, bytes));
}
