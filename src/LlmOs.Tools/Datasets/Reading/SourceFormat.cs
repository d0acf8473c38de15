using System.IO.Compression;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>The formats that are read: which a file has, and its rows.</summary>
internal static class SourceFormat
{
    public const string JsonLines = "jsonl";
    public const string Json = "json";
    public const string Csv = "csv";
    public const string Tsv = "tsv";
    public const string Parquet = "parquet";
    public const string Text = "text";
    public const string Conll = "conll";

    /// <summary>How many times larger than its packed form a text may be, once it is larger than <see cref="FreeBytes"/>; bombs are a thousand times.</summary>
    private const int MaxRatio = 200;

    private const long FreeBytes = 64 << 20;

    public static IReadOnlyList<string> All { get; } = [JsonLines, Json, Csv, Tsv, Parquet, Text, Conll];

    /// <summary>What a file's name says of its format; null where it says nothing.</summary>
    public static string? Of(string name)
    {
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return Path.GetExtension(plain).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => JsonLines,
            ".json" => Json,
            ".csv" => Csv,
            ".tsv" or ".tab" => Tsv,
            ".parquet" => Parquet,
            ".txt" or ".text" or ".raw" or ".md" => Text,
            ".conll" or ".bio" or ".iob" => Conll,
            _ => null,
        };
    }

    /// <summary>The rows of a file. Gzip is unpacked on the way, whatever the file's name.</summary>
    public static IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, CancellationToken cancel) => plan.Format switch
    {
        Parquet => ParquetRows.ReadAsync(path, plan, cancel),
        Json => JsonArrayRows.ReadAsync(path, plan, cancel),
        JsonLines => JsonLineRows.ReadAsync(path, plan, cancel),
        Csv or Tsv => CsvRows.ReadAsync(path, plan, cancel),
        Conll => ConllRows.ReadAsync(path, plan, cancel),
        Text => TextRows.ReadAsync(path, plan, cancel),
        _ => throw new InvalidOperationException($"There is no format '{plan.Format}'."),
    };

    /// <summary>The bytes of a text in UTF-8: unpacked, and converted where it is in another encoding.</summary>
    public static Stream OpenText(string path, ReadPlan plan)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);
        Stream stream = file;
        Span<byte> start = stackalloc byte[2];
        var isGzip = file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start is [0x1F, 0x8B];
        file.Position = 0;
        if (isGzip)
        {
            stream = new BoundedUnpack(new GZipStream(file, CompressionMode.Decompress), Math.Max(FreeBytes, MaxRatio * file.Length), plan.Place);
        }

        return plan.IsWindows
            ? Encoding.CreateTranscodingStream(stream, CodePagesEncodingProvider.Instance.GetEncoding("windows-1252")!, new UTF8Encoding(false))
            : stream;
    }
}

/// <summary>What a packed file unpacks to, up to a bound.</summary>
internal sealed class BoundedUnpack(Stream inner, long max, string? place) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        try
        {
            return Took(inner.Read(buffer));
        }
        catch (InvalidDataException fault)
        {
            throw Broken(fault);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Took(await inner.ReadAsync(buffer, cancellationToken));
        }
        catch (InvalidDataException fault)
        {
            throw Broken(fault);
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Took(int read)
    {
        _read += read;
        return _read <= max
            ? read
            : throw new LlmOsException(ErrorCode.TooLarge, $"{(place is null ? "The file" : Shown.Of(place))} unpacks to more than {max} bytes, far more than texts do.") { Field = "source" };
    }

    private LlmOsException Broken(InvalidDataException fault) =>
        new(ErrorCode.CorruptFile, $"{(place is null ? "The file" : Shown.Of(place))} is not whole gzip: it could not be unpacked.", fault) { Field = "source" };
}
