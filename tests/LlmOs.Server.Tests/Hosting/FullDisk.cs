namespace LlmOs.Server.Tests.Hosting;

/// <summary>Takes the room of a disk, to the last byte.</summary>
internal static class FullDisk
{
    public static void Fill(string path)
    {
        var block = new byte[1 << 16];
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        for (var size = block.Length; size > 0;)
        {
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2; // to the last byte
            }
        }
    }
}
