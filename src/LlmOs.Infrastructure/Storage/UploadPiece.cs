using System.Net.Http.Headers;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Which bytes of an upload a request says that it sends: its <c>Content-Range</c>.</summary>
/// <param name="From">The first byte, counted from 0.</param>
/// <param name="To">The last byte.</param>
/// <param name="Total">The bytes of the whole file; null where the sender writes <c>*</c>.</param>
public sealed record UploadPiece(long From, long To, long? Total)
{
    public const string Field = "Content-Range";

    public long Length => To - From + 1;

    /// <summary>Reads the header; null where there is none, which means the whole file.</summary>
    /// <exception cref="LlmOsException">It is no range of bytes.</exception>
    public static UploadPiece? Parse(string? header) =>
        header is null ? null
        : ContentRangeHeaderValue.TryParse(header, out var stated) && stated is { HasRange: true, Unit: "bytes", From: { } from, To: { } to } ? new UploadPiece(from, to, stated.Length)
        : throw LlmOsException.Invalid(Field, $"Content-Range: '{header}' is no range; expected bytes 100-199/200.");

    /// <summary>Refuses a body of another length than the range.</summary>
    /// <param name="bytes">The length of the body; null while it is not known.</param>
    public void RequireLength(long? bytes)
    {
        if (bytes is { } known && known != Length)
        {
            throw LlmOsException.Invalid(Field, $"Content-Range: names {Length} bytes ({From} to {To}), and the body has {known}. Nothing of it was kept.");
        }
    }

    /// <summary>Refuses a range of a file of another length than the upload was begun with.</summary>
    public void RequireWithin(long total)
    {
        if (Total is { } stated && stated != total)
        {
            throw LlmOsException.Invalid(Field, $"Content-Range: says that the file has {stated} bytes; the upload was begun with {total}.");
        }

        if (To >= total)
        {
            throw LlmOsException.Invalid(Field, $"Content-Range: ends at byte {To}; the last one of the {total} that the upload was begun with is {total - 1}.");
        }
    }
}
