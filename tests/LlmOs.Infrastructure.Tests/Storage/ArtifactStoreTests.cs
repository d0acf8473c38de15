using System.Security.Cryptography;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;

namespace LlmOs.Infrastructure.Tests.Storage;

public sealed class ArtifactStoreTests : IDisposable
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes("some weights");
    private readonly TempFolder _temp = new();
    private readonly DataFolder _folder;
    private readonly ArtifactStore _store;

    public ArtifactStoreTests()
    {
        _folder = new DataFolder(_temp.At("data"));
        _store = new ArtifactStore(_folder);
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_blob_lies_under_its_own_hash()
    {
        var blob = await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Content)), blob.Sha256);
        Assert.Equal(Content.Length, blob.Bytes);
        Assert.Equal(Content, await File.ReadAllBytesAsync(_store.PathOf(blob.Sha256)));
        await _store.VerifyAsync(blob.Sha256, CancellationToken.None);
    }

    [Fact]
    public async Task The_same_content_is_kept_once()
    {
        var file = _temp.At("weights");
        await File.WriteAllBytesAsync(file, Content);

        var first = await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        var second = await _store.PutFileAsync(file, CancellationToken.None);

        Assert.Equal(first, second);
        Assert.Single(Directory.GetFiles(_folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_whole_blob_is_never_replaced_and_a_damaged_one_is()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("the file is recognised by its mode");
            return;
        }

        const UnixFileMode Mark = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var blob = await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        var path = _store.PathOf(blob.Sha256);
        File.SetUnixFileMode(path, Mark);

        await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        Assert.Equal(Mark, File.GetUnixFileMode(path));

        await File.WriteAllTextAsync(path, "Some weights");
        await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        Assert.NotEqual(Mark, File.GetUnixFileMode(path));
        await _store.VerifyAsync(blob.Sha256, CancellationToken.None);
        Assert.Single(Directory.GetFiles(_folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_file_that_is_not_what_was_expected_is_not_taken()
    {
        var file = Path.Combine(_folder.Uploads, "part");
        await File.WriteAllBytesAsync(file, Content);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _store.TakeFileAsync(file, CancellationToken.None, new string('0', 64)));

        Assert.Equal(ErrorCode.HashMismatch, refusal.Code);
        Assert.Equal(Content, await File.ReadAllBytesAsync(file));
        Assert.Empty(Directory.GetFiles(_folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_source_that_breaks_off_leaves_nothing()
    {
        await Assert.ThrowsAsync<IOException>(() => _store.PutAsync(new BreakingStream(), CancellationToken.None));

        Assert.Empty(Directory.GetFiles(_folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_changed_byte_is_found()
    {
        var blob = await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        await File.WriteAllTextAsync(_store.PathOf(blob.Sha256), "Some weights");

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _store.VerifyAsync(blob.Sha256, CancellationToken.None));

        Assert.Equal(ErrorCode.HashMismatch, refusal.Code);
    }

    [Fact]
    public async Task A_missing_blob_is_a_refusal()
    {
        var absent = new string('0', 64);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _store.VerifyAsync(absent, CancellationToken.None));

        Assert.Equal(ErrorCode.MissingFile, refusal.Code);
        Assert.False(_store.Contains(absent));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    [InlineData("ABCDEF0000000000000000000000000000000000000000000000000000000000")]
    public void Only_a_hash_becomes_a_path(string name) => Assert.Throws<ArgumentException>(() => _store.PathOf(name));

    [Fact]
    public async Task Leftovers_of_a_crash_are_deleted_and_blobs_are_not()
    {
        var blob = await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(_folder.Blobs, ".half.tmp"), "half");

        _store.DeleteLeftovers();

        Assert.Equal([_store.PathOf(blob.Sha256)], Directory.GetFiles(_folder.Blobs, "*", SearchOption.AllDirectories));
    }

    private sealed class BreakingStream : MemoryStream
    {
        private bool _read;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_read)
            {
                throw new IOException("The source went away.");
            }

            _read = true;
            buffer.Span[..8].Fill(1);
            return ValueTask.FromResult(8);
        }
    }
}
