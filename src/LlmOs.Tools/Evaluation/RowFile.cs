using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Tools.Evaluation;

/// <summary>
/// Finished rows as lines of JSON in the job's own folder. A row that was cut off while it was written is measured again;
/// everything before it is kept, so an evaluation that was stopped goes on where it was.
/// </summary>
/// <remarks>The first line says what is being measured: rows of anything else are dropped.</remarks>
internal sealed class RowFile<T> : IDisposable
{
    private readonly FileStream _file;
    private readonly List<T> _rows;

    private RowFile(FileStream file, List<T> rows) => (_file, _rows) = (file, rows);

    /// <summary>The rows that are done, in order.</summary>
    public IReadOnlyList<T> Rows => _rows;

    /// <param name="key">What is measured.</param>
    public static RowFile<T> Open(string path, string key)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        var head = JsonSerializer.SerializeToUtf8Bytes(key, LlmOsJson.Options);
        var rows = new List<T>();
        var good = 0;
        while (content.AsSpan(good).IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = content.AsSpan(good, length);
            if (good == 0 ? !line.SequenceEqual(head) : !TryRead(line, rows))
            {
                break;
            }

            good += length + 1;
        }

        file.SetLength(good);
        file.Position = good;
        if (good == 0)
        {
            file.Write([.. head, (byte)'\n']);
        }

        return new RowFile<T>(file, rows);
    }

    public void Add(T row)
    {
        _file.Write([.. JsonSerializer.SerializeToUtf8Bytes(row, LlmOsJson.Options), (byte)'\n']);
        _file.Flush();
        _rows.Add(row);
    }

    public void Dispose() => _file.Dispose();

    private static bool TryRead(ReadOnlySpan<byte> line, List<T> rows)
    {
        try
        {
            rows.Add(JsonSerializer.Deserialize<T>(line, LlmOsJson.Options)!);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
