namespace LlmOs.Infrastructure.Storage;

/// <summary>The folder that holds all of a host's files. Several hosts on PostgreSQL may share one.</summary>
public sealed class DataFolder
{
    /// <param name="root">Absolute path; made if it is not there, readable by its owner alone.</param>
    public DataFolder(string root)
    {
        Root = root;
        Directory.CreateDirectory(Root);
        if (!OperatingSystem.IsWindows() && Directory.GetFileSystemEntries(Root).Length == 0)
        {
            File.SetUnixFileMode(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Blobs = Make("blobs");
        Quarantine = Make("quarantine");
        Cache = Make("cache");
        Scratch = Make("scratch");
        Jobs = Make("jobs");
        Uploads = Make("uploads");
        Import = Make("import");
        Keys = Make("keys");
    }

    public string Root { get; }

    /// <summary>Content-addressed files; only <see cref="ArtifactStore"/> writes here.</summary>
    public string Blobs { get; }

    /// <summary>Blobs that nothing refers to, for a while before they are deleted.</summary>
    public string Quarantine { get; }

    /// <summary>What can be made again: may be emptied while no server runs.</summary>
    public string Cache { get; }

    /// <summary>Folders of running attempts; what a dead server left is deleted at start.</summary>
    public string Scratch { get; }

    /// <summary>Checkpoints: a folder for each job that has not ended.</summary>
    public string Jobs { get; }

    /// <summary>Uploads that are under way: a file for each, named by its id.</summary>
    public string Uploads { get; }

    /// <summary>The import folder of a host that names no other.</summary>
    public string Import { get; }

    /// <summary>Keys that seal the browser's sessions.</summary>
    public string Keys { get; }

    /// <summary>The SQLite file, where SQLite is used.</summary>
    public string SqliteFile => Path.Combine(Root, "llmos.db");

    private string Make(string name) => Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
}
