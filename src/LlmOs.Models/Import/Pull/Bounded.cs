namespace LlmOs.Models.Import.Pull;

/// <summary>Reads what somebody else's server sends, up to a limit.</summary>
internal static class Bounded
{
    /// <returns>Null when there is more than the limit.</returns>
    public static async Task<byte[]?> ReadAsync(Stream stream, int max, CancellationToken cancel)
    {
        using var buffer = new MemoryStream();
        var piece = new byte[64 << 10];
        int read;
        while ((read = await stream.ReadAsync(piece, cancel)) > 0)
        {
            if (buffer.Length + read > max)
            {
                return null;
            }

            buffer.Write(piece, 0, read);
        }

        return buffer.ToArray();
    }
}
