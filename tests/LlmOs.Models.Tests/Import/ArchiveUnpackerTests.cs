using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import;

public sealed class ArchiveUnpackerTests : IDisposable
{
    private static readonly ArchiveLimits Limits = new();

    private readonly TempFolder _folder = new();
    private int _count;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds => ["zip", "tar", "tar.gz"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Files_and_folders_come_out_as_they_went_in(string kind)
    {
        var target = await UnpackAsync(Make(kind, ("model/config.json", "{}"), ("./model/deep/er/weights.bin", "123"), ("readme", "")));

        Assert.Equal("{}", File.ReadAllText(Path.Combine(target, "model", "config.json")));
        Assert.Equal("123", File.ReadAllText(Path.Combine(target, "model", "deep", "er", "weights.bin")));
        Assert.Equal(3, Directory.GetFiles(target, "*", SearchOption.AllDirectories).Length);
    }

    public static TheoryData<string, string> Escapes
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var kind in Kinds.Select(row => row.Data))
            {
                foreach (var path in new[] { "../outside", "a/../../outside", "/etc/outside", "a\\..\\outside", "C:outside", "a//b", "a/./b", "a/\u0001", new string('d', 600), string.Join('/', Enumerable.Repeat("d", 20)) })
                {
                    data.Add(kind, path);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task A_path_that_does_not_lie_plainly_beneath_is_refused(string kind, string path) =>
        await RefusedAsync(ErrorCode.NotAllowed, Make(kind, (path, "x")));

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.CharacterDevice)]
    public async Task Links_and_special_files_are_refused(TarEntryType type)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            var entry = new PaxTarEntry(type, "entry");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            {
                entry.LinkName = "/etc/passwd";
            }

            tar.WriteEntry(entry);
        }

        await RefusedAsync(ErrorCode.NotAllowed, stream.ToArray());
    }

    [Fact]
    public async Task A_link_in_a_zip_is_refused()
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            var entry = zip.CreateEntry("link");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var content = entry.Open();
            content.Write("/etc/passwd"u8);
        }

        await RefusedAsync(ErrorCode.NotAllowed, stream.ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task More_entries_or_bytes_than_allowed_are_refused(string kind)
    {
        var three = Make(kind, ("a", "1"), ("b", "2"), ("c", new string('x', 5000)));

        await RefusedAsync(ErrorCode.TooLarge, three, Limits with { MaxEntries = 2 });
        await RefusedAsync(ErrorCode.TooLarge, three, Limits with { MaxBytes = 4000 });
        await UnpackAsync(three, Limits with { MaxEntries = 3 });
    }

    /// <summary>The library keeps the whole directory in memory before anybody can count its entries.</summary>
    [Fact]
    public async Task A_zip_with_a_large_directory_is_refused_before_it_is_read()
    {
        const ushort Entries = 60_000;
        const int Name = 200;
        using var zip = new MemoryStream();
        zip.Write("PK\u0003\u0004"u8);
        var entry = new byte[46 + Name];
        "PK\u0001\u0002"u8.CopyTo(entry);
        entry[28] = Name;
        entry.AsSpan(46).Fill((byte)'a');
        for (var i = 0; i < Entries; i++)
        {
            zip.Write(entry);
        }

        var end = new byte[22];
        "PK\u0005\u0006"u8.CopyTo(end);
        BitConverter.TryWriteBytes(end.AsSpan(8), Entries);
        BitConverter.TryWriteBytes(end.AsSpan(10), Entries);
        BitConverter.TryWriteBytes(end.AsSpan(12), (uint)(Entries * entry.Length));
        BitConverter.TryWriteBytes(end.AsSpan(16), 4u);
        zip.Write(end);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => UnpackAsync(zip.ToArray()));

        Assert.Equal(ErrorCode.TooLarge, refusal.Code);
        Assert.Contains("directory", refusal.Message, StringComparison.Ordinal); // not the count, which is known only afterwards
    }

    /// <summary>A header of a tar may say of itself that it is as large as memory.</summary>
    [Theory]
    [InlineData('x', 1L << 30)]
    [InlineData('g', 1L << 30)]
    [InlineData('L', 1L << 30)]
    [InlineData('x', 300L << 10)]
    public async Task A_tar_with_a_header_as_large_as_memory_is_refused_before_it_is_read(char type, long bytes)
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes("././@PaxHeader").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(string.Join('\0', "0000644", "0000000", "0000000", Convert.ToString(bytes, 8).PadLeft(11, '0'), "00000000000", "") + $"        {type}").CopyTo(header, 100);
        Encoding.ASCII.GetBytes("ustar\0" + "00").CopyTo(header, 257);
        Encoding.ASCII.GetBytes($"{Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0')}\0 ").CopyTo(header, 148);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(header, TestContext.Current.CancellationToken);
            await gzip.WriteAsync(new byte[400 << 10], TestContext.Current.CancellationToken);
        }

        await RefusedAsync(ErrorCode.TooLarge, packed.ToArray());
    }

    [Theory]
    [InlineData("zip")]
    [InlineData("tar.gz")]
    public async Task A_bomb_is_refused_before_it_has_filled_the_disk(string kind)
    {
        var bomb = Make(kind, ("zeros", new string('\0', 4 << 20)));
        Assert.True(bomb.Length < 64 << 10);

        var target = await RefusedAsync(ErrorCode.TooLarge, bomb, Limits with { RatioFreeBytes = 1 << 20 });

        Assert.True(Directory.GetFiles(target).Sum(f => new FileInfo(f).Length) <= (1 << 20) + (bomb.Length * Limits.MaxRatio) + (1 << 18));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Two_entries_of_one_name_are_refused(string kind) =>
        await RefusedAsync(ErrorCode.CorruptFile, Make(kind, ("Config.json", "a"), ("config.json", "b")));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_name_that_is_a_file_and_a_folder_is_refused(string kind) =>
        await RefusedAsync(ErrorCode.CorruptFile, Make(kind, ("a", "file"), ("a/b", "folder")));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_archive_that_was_cut_short_is_refused(string kind)
    {
        var noise = new byte[20_000];
        new Random(1).NextBytes(noise);
        var whole = Make(kind, ("a", Convert.ToBase64String(noise)));

        await RefusedAsync(ErrorCode.CorruptFile, whole[..(whole.Length / 2)]);
    }

    [Fact]
    public async Task Another_kind_of_file_is_refused() => await RefusedAsync(ErrorCode.UnsupportedFormat, "7z\u00bc\u00af'\u001c and so on"u8.ToArray());

    /// <summary>Real archives, spoilt 10,000 times in all: unpacked or refused, never beyond the folder, never beyond its size.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_spoilt_archive_is_unpacked_or_refused(string kind)
    {
        var original = Make(kind, ("model/config.json", "{\"a\":1}"), ("model/weights.bin", new string('w', 3000)), ("notes", "n"));
        var path = _folder.At("fuzz");
        var refused = 0;
        const int Cases = 3_334; // of each kind
        foreach (var seed in Enumerable.Range(0, Cases).Append(5289)) // once an extended header longer than its limit
        {
            var target = Directory.CreateDirectory(_folder.At("fuzzed")).FullName;
            await File.WriteAllBytesAsync(path, Mutations.Spoil(original, seed));
            try
            {
                await ArchiveUnpacker.UnpackAsync(path, target, Limits with { MaxBytes = 1 << 20 }, CancellationToken.None);
            }
            catch (LlmOsException)
            {
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"{kind}, seed {seed}: {fault}");
            }

            Directory.Delete(target, recursive: true);
        }

        Assert.InRange(refused, 1, Cases - 1);
        Assert.Equal(["fuzz"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    private async Task<string> UnpackAsync(byte[] archive, ArchiveLimits? limits = null)
    {
        var number = _count++;
        await File.WriteAllBytesAsync(_folder.At($"archive{number}"), archive);
        var target = Directory.CreateDirectory(_folder.At($"target{number}")).FullName;
        await ArchiveUnpacker.UnpackAsync(_folder.At($"archive{number}"), target, limits ?? Limits, CancellationToken.None);
        return target;
    }

    private async Task<string> RefusedAsync(ErrorCode code, byte[] archive, ArchiveLimits? limits = null)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => UnpackAsync(archive, limits));

        Assert.Equal(code, refusal.Code);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder.Path), entry => Path.GetFileName(entry) == "outside");
        return _folder.At($"target{_count - 1}");
    }

    private static byte[] Make(string kind, params (string Path, string Content)[] entries)
    {
        using var stream = new MemoryStream();
        switch (kind)
        {
            case "zip":
                using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
                {
                    foreach (var (path, content) in entries)
                    {
                        using var target = zip.CreateEntry(path).Open();
                        target.Write(Encoding.UTF8.GetBytes(content));
                    }
                }

                break;
            case "tar":
                WriteTar(stream, entries);
                break;
            default:
                using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
                {
                    WriteTar(gzip, entries);
                }

                break;
        }

        return stream.ToArray();
    }

    private static void WriteTar(Stream stream, (string Path, string Content)[] entries)
    {
        using var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var (path, content) in entries)
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        }
    }
}
