using LlmOs.Infrastructure.Storage;

namespace LlmOs.Trainer.Files;

/// <summary>
/// Folders that are there whole or not at all, also after the power went: content goes to the disk before the name does, and
/// the name before anything that relies on it.
/// </summary>
internal static class DurableFolder
{
    /// <summary>What a folder is called while it is being filled.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>Fills a new folder under another name and renames it. What an interrupted attempt left is removed first.</summary>
    public static void Write(string folder, Action<string> fill)
    {
        var unfinished = folder + Unfinished;
        Delete(unfinished);
        Directory.CreateDirectory(unfinished);
        try
        {
            fill(unfinished);
            foreach (var file in Directory.GetFiles(unfinished))
            {
                SyncFile(file);
            }

            FolderNames.Flush(unfinished);
            Directory.Move(unfinished, folder);
            FolderNames.Flush(Path.GetDirectoryName(folder)!);
        }
        catch
        {
            // A full disk is the most likely cause: give back what was taken.
            Delete(unfinished);
            throw;
        }
    }

    /// <summary>Replaces a small file in one step.</summary>
    public static void ReplaceText(string path, string text)
    {
        using (var file = new FileStream(path + Unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + Unfinished, path, overwrite: true);
        FolderNames.Flush(Path.GetDirectoryName(path)!);
    }

    /// <summary>Removes a folder, first its name: what is half deleted is not mistaken for what is whole.</summary>
    public static void Delete(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        var doomed = folder;
        if (!folder.EndsWith(Unfinished, StringComparison.Ordinal))
        {
            doomed = folder + ".old" + Unfinished;
            if (Directory.Exists(doomed))
            {
                Directory.Delete(doomed, recursive: true);
            }

            Directory.Move(folder, doomed);
        }

        Directory.Delete(doomed, recursive: true);
    }

    private static void SyncFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 1);
        file.Flush(flushToDisk: true);
    }
}
