namespace LlmOs.Formats;

/// <summary>
/// What lies in the place of a large file after a <c>git clone</c> without Git LFS: a few lines that name the file's hash
/// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
/// </summary>
public static class LfsPointer
{
    private static ReadOnlySpan<byte> Begin => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Refuses a pointer by the name of the file in whose place it lies.</summary>
    /// <param name="content">The file's beginning, or all of it.</param>
    /// <exception cref="ModelFormatException">It is a pointer.</exception>
    public static void Refuse(ReadOnlySpan<byte> content, string file)
    {
        if (content.StartsWith(Begin))
        {
            throw new ModelFormatException(
                ModelFormatProblem.CorruptFile,
                $"{file} is a Git LFS pointer, not the file itself. Fetch the files with 'git lfs pull', or import the model by its name: 'hf:org/name'.");
        }
    }

    /// <summary>Refuses a pointer by the name of the file in whose place it lies.</summary>
    /// <exception cref="ModelFormatException">It is a pointer.</exception>
    public static void RefuseFile(string path, string file)
    {
        using var stream = File.OpenRead(path);
        Span<byte> begin = stackalloc byte[Begin.Length];
        Refuse(begin[..stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false)], file);
    }
}
