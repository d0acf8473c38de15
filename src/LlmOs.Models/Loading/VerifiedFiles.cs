using System.Text.Json;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Loading;

/// <summary>
/// Remembers, in a file, which files were hashed and found right, so that a file is read whole once and not at each load: again
/// only when its path, size, time or inode is another. What changes without these (a failing disk) is for the job <c>verify</c>.
/// </summary>
internal sealed class VerifiedFiles
{
    private readonly string _file;
    private readonly Dictionary<string, FileStamp> _seen;
    private bool _changed;

    private VerifiedFiles(string file, Dictionary<string, FileStamp> seen) => (_file, _seen) = (file, seen);

    /// <summary>Knows of no file, and is not kept.</summary>
    public static VerifiedFiles None => new("", []);

    /// <summary>What the file says; nothing where it is missing or damaged.</summary>
    public static VerifiedFiles Read(string file)
    {
        try
        {
            return new VerifiedFiles(file, JsonSerializer.Deserialize<Dictionary<string, FileStamp>>(File.ReadAllBytes(file)) ?? []);
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            return new VerifiedFiles(file, []);
        }
    }

    /// <summary>Whether a file is the one that was found right.</summary>
    public bool Holds(string path) => _seen.TryGetValue(path, out var seen) && FileStamp.Of(path) == seen;

    /// <summary>Checks a file, unless it is the one that was found right.</summary>
    /// <param name="isRight">Reads it whole; may throw.</param>
    /// <returns>Whether it is right.</returns>
    public async Task<bool> CheckAsync(string path, Func<Task<bool>> isRight)
    {
        if (Holds(path))
        {
            return true;
        }

        var before = FileStamp.Of(path); // whoever writes to it meanwhile makes another stamp
        if (!await isRight())
        {
            return false;
        }

        Note(path, before ?? FileStamp.Of(path));
        return true;
    }

    /// <summary>A file was hashed as it was written.</summary>
    public void NoteFresh(string path) => Note(path, FileStamp.Of(path));

    /// <summary>Keeps what was noted. Where that cannot be written the files are hashed again next time.</summary>
    public async Task SaveAsync(CancellationToken cancel)
    {
        if (!_changed)
        {
            return;
        }

        var temporary = $"{_file}.{Guid.NewGuid():n}.tmp";
        try
        {
            await File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(_seen), cancel);
            File.Move(temporary, _file, overwrite: true);
            _changed = false;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
        }
    }

    private void Note(string path, FileStamp? stamp)
    {
        if (stamp is { } found)
        {
            _seen[path] = found;
            _changed = true;
        }
    }
}
