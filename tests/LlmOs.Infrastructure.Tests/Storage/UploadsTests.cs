using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Storage;

public sealed class UploadsTests(TestDatabases databases) : IAsyncLifetime
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 3_000).Select(i => (byte)i)];
    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Content));
    private readonly TempFolder _temp = new();
    private TestDatabase _database = null!;
    private ArtifactStore _store = null!;
    private Uploads _uploads = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await databases.NewAsync(Provider.Sqlite);
        var folder = new DataFolder(_temp.At("data"));
        _store = new ArtifactStore(folder);
        _uploads = new Uploads(folder, _store, Options.Create(new CollectorOptions()), TimeProvider.System);
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _temp.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Pieces_become_a_blob_and_a_lost_answer_may_be_asked_for_again()
    {
        var upload = await BeginAsync(Hash);

        Assert.Equal(1_000, (await AppendAsync(upload, 0, Content[..1_000])).Received);
        var whole = await AppendAsync(upload, 1_000, Content[1_000..]);
        var again = await AppendAsync(upload, 1_000, Content[1_000..]);

        Assert.Equal((UploadState.Finished, Hash, 3_000L), (whole.State, whole.Sha256, whole.Received));
        Assert.Equal(whole, again with { ExpiresAt = whole.ExpiresAt });
        Assert.Equal(Content, await File.ReadAllBytesAsync(_store.PathOf(Hash)));
    }

    [Fact]
    public async Task What_arrived_before_the_sender_went_away_stays()
    {
        var upload = await BeginAsync(Hash);

        await Assert.ThrowsAsync<IOException>(() => AppendAsync(upload, 0, new CutStream(Content[..700])));
        await using var db = _database.CreateDbContext();
        var stands = await _uploads.GetAsync(db, upload.Id, CancellationToken.None);
        var whole = await AppendAsync(upload, stands.Received, Content[(int)stands.Received..]);

        Assert.Equal(700, stands.Received);
        Assert.Equal(Hash, whole.Sha256);
    }

    [Fact]
    public async Task A_piece_goes_only_where_the_upload_stands()
    {
        var upload = await BeginAsync(Hash);
        await AppendAsync(upload, 0, Content[..1_000]);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => AppendAsync(upload, 500, Content[500..]));

        Assert.Equal((ErrorCode.Conflict, "Content-Range"), (refusal.Code, refusal.Field));
        Assert.Contains("bytes 1000-2999/3000", refusal.Hint, StringComparison.Ordinal);
        Assert.Equal(Hash, (await AppendAsync(upload, null, Content)).Sha256); // the whole file anew
    }

    [Fact]
    public async Task More_than_was_said_and_another_hash_are_refused()
    {
        var upload = await BeginAsync(Hash);
        var tooMuch = await Assert.ThrowsAsync<LlmOsException>(() => AppendAsync(upload, null, [.. Content, 1]));
        var other = await Assert.ThrowsAsync<LlmOsException>(() => AppendAsync(upload, null, new byte[3_000]));

        Assert.Equal((ErrorCode.TooLarge, ErrorCode.HashMismatch), (tooMuch.Code, other.Code));
        Assert.Equal(Hash, (await AppendAsync(upload, null, Content)).Sha256);
    }

    [Fact]
    public async Task A_file_that_is_stored_is_not_sent_again()
    {
        await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);

        Assert.Equal(UploadState.Finished, (await BeginAsync(Hash)).State);
        Assert.Equal(UploadState.Receiving, (await BeginAsync(null)).State);
    }

    [Fact]
    public async Task Only_a_whole_upload_can_be_imported()
    {
        var upload = await BeginAsync(Hash);
        await using var db = _database.CreateDbContext();

        var half = await Assert.ThrowsAsync<LlmOsException>(() => _uploads.RequireFinishedAsync(db, upload.Id, "source", CancellationToken.None));
        var none = await Assert.ThrowsAsync<LlmOsException>(() => _uploads.RequireFinishedAsync(db, "upload_none", "source", CancellationToken.None));

        Assert.Equal((ErrorCode.Conflict, ErrorCode.MissingFile), (half.Code, none.Code));
    }

    /// <summary>A client that lost its connection sends again while the server still writes what came before.</summary>
    [Fact]
    public async Task Six_senders_of_one_upload_make_one_whole_blob()
    {
        for (var round = 0; round < 25; round++)
        {
            var content = new byte[400_000];
            new Random(round).NextBytes(content);
            await using var begun = _database.CreateDbContext();
            var upload = await _uploads.BeginAsync(begun, new UploadRequest { Filename = "model.gguf", Bytes = content.Length }, CancellationToken.None);

            var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
            {
                try
                {
                    return await AppendAsync(upload, null, content);
                }
                catch (LlmOsException refusal) when (refusal.Code == ErrorCode.Conflict)
                {
                    return null;
                }
            })));

            var hash = Convert.ToHexStringLower(SHA256.HashData(content));
            Assert.All(answers.OfType<UploadView>(), answer => Assert.Equal((UploadState.Finished, hash), (answer.State, answer.Sha256)));
            Assert.NotEmpty(answers.OfType<UploadView>());
            await _store.VerifyAsync(hash, CancellationToken.None);
            Assert.Empty(Directory.GetFiles(_temp.At("data", "uploads")));
        }
    }

    [Fact]
    public async Task An_upload_that_is_deleted_while_it_is_written_is_gone()
    {
        var upload = await BeginAsync(Hash);
        var body = new DeletingStream(Content, async () =>
        {
            await using var db = _database.CreateDbContext();
            await _uploads.DeleteAsync(db, upload.Id, CancellationToken.None);
        });

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => AppendAsync(upload, 0, body));

        Assert.Equal(ErrorCode.NotFound, refusal.Code);
        Assert.Empty(Directory.GetFiles(_temp.At("data", "uploads")));
        Assert.False(_store.Contains(Hash));
    }

    [Theory]
    [InlineData(100, 199, 3_000, 99)]
    [InlineData(100, 199, 3_000, 101)]
    [InlineData(100, 199, 3_001, 100)]
    [InlineData(100, 3_000, null, 2_901)]
    public async Task A_range_that_does_not_fit_body_or_total_keeps_nothing(int from, int to, int? total, int bytes)
    {
        var upload = await BeginAsync(Hash);
        await AppendAsync(upload, 0, Content[..100]);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => AppendAsync(upload, new MemoryStream(new byte[bytes]), new UploadPiece(from, to, total)));

        Assert.Equal((ErrorCode.InvalidRequest, "Content-Range"), (refusal.Code, refusal.Field));
        Assert.Equal(200, (await AppendAsync(upload, new MemoryStream(Content[100..200]), new UploadPiece(100, 199, null))).Received);
        Assert.Equal(Hash, (await AppendAsync(upload, 200, Content[200..])).Sha256);
    }

    [Fact]
    public async Task A_damaged_file_is_sent_again_and_mended()
    {
        await _store.PutAsync(new MemoryStream(Content), CancellationToken.None);
        await File.WriteAllBytesAsync(_store.PathOf(Hash), new byte[Content.Length]);

        var upload = await BeginAsync(Hash);
        await AppendAsync(upload, 0, Content);

        Assert.Equal(UploadState.Receiving, upload.State);
        await _store.VerifyAsync(Hash, CancellationToken.None);
    }

    private async Task<UploadView> BeginAsync(string? hash)
    {
        await using var db = _database.CreateDbContext();
        return await _uploads.BeginAsync(db, new UploadRequest { Filename = "model.gguf", Bytes = Content.Length, Sha256 = hash }, CancellationToken.None);
    }

    private Task<UploadView> AppendAsync(UploadView upload, long? from, byte[] piece) => AppendAsync(upload, from, new MemoryStream(piece));

    private Task<UploadView> AppendAsync(UploadView upload, long? from, Stream body) =>
        AppendAsync(upload, body, from is { } first ? new UploadPiece(first, first + body.Length - 1, Content.Length) : null);

    private async Task<UploadView> AppendAsync(UploadView upload, Stream body, UploadPiece? piece)
    {
        await using var db = _database.CreateDbContext();
        return await _uploads.AppendAsync(db, upload.Id, piece, body, CancellationToken.None);
    }

    /// <summary>Ends in a fault, as a connection that is lost.</summary>
    private sealed class CutStream(byte[] content) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and var read ? read : throw new IOException("the connection was lost");
    }

    /// <summary>Does something once its content has been read.</summary>
    private sealed class DeletingStream(byte[] content, Func<Task> atEnd) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                await atEnd();
            }

            return read;
        }
    }
}
