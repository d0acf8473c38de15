using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import;

/// <summary>Decides whether a <c>file:</c> source may be read: it must lie beneath an import folder, symbolic links resolved.</summary>
public static class ImportSource
{
    /// <summary>Links followed before a path counts as a loop.</summary>
    private const int MaxLinks = 40;

    /// <summary>The folder or file that a source names, without links in its path.</summary>
    /// <exception cref="LlmOsException">The scheme is not read here, the path is not beneath an import folder, or nothing is there.</exception>
    public static string Resolve(string source, IReadOnlyList<string> importFolders)
    {
        var real = RealSource(source, "source", "/path/of/a/model", importFolders);
        return Path.Exists(real) ? real : throw new LlmOsException(ErrorCode.MissingFile, $"There is no folder or file '{ModelName.Shorten(source)}'.") { Field = "source" };
    }

    /// <summary>The file that a source names, without links in its path.</summary>
    /// <param name="field">The field of the request that holds the source.</param>
    /// <exception cref="LlmOsException">The scheme is not read here, the path is not beneath an import folder, or it is no file.</exception>
    public static string ResolveFile(string source, string field, IReadOnlyList<string> importFolders)
    {
        var real = RealSource(source, field, "/path/of/a/file", importFolders);
        return File.Exists(real)
            ? real
            : throw new LlmOsException(ErrorCode.MissingFile, $"There is no file '{ModelName.Shorten(source)}'.") { Field = field };
    }

    /// <summary>The real place of a file of a source, which must lie beneath an import folder too.</summary>
    public static string ResolveInside(string path, IReadOnlyList<string> importFolders)
    {
        var real = RealPath(path);
        return IsBeneath(real, importFolders)
            ? real
            : throw new LlmOsException(ErrorCode.NotAllowed, $"{Path.GetFileName(path)} is a link to a place outside the import folders.");
    }

    private static string RealSource(string source, string field, string example, IReadOnlyList<string> importFolders)
    {
        var real = RealPath(PathOf(source, field, example));
        return IsBeneath(real, importFolders)
            ? real
            : throw new LlmOsException(ErrorCode.NotAllowed, $"'{ModelName.Shorten(source)}' does not lie beneath an import folder.")
            {
                Field = field,
                Hint = "Copy it beneath one of the folders of LLMOS_IMPORT_DIRS (default: 'import' in the data folder), or add its folder there.",
            };
    }

    private static string PathOf(string source, string field, string example)
    {
        if (!source.StartsWith("file:", StringComparison.Ordinal))
        {
            var at = source.IndexOf(':', StringComparison.Ordinal);
            throw at > 0
                ? new LlmOsException(ErrorCode.UnsupportedFormat, $"Sources of the kind '{ModelName.Shorten(source[..at])}:' are not read here. Expected: file:{example}.") { Field = field }
                : LlmOsException.Invalid(field, $"'{ModelName.Shorten(source)}' is not a source. Expected: file:{example}.");
        }

        var path = source["file:".Length..];
        if (path.StartsWith("///", StringComparison.Ordinal))
        {
            path = path[2..]; // file:///path, as browsers write it
        }

        return Path.IsPathFullyQualified(path) && !path.Contains('\0', StringComparison.Ordinal)
            ? Path.GetFullPath(path)
            : throw LlmOsException.Invalid(field, $"'{ModelName.Shorten(source)}' does not hold an absolute path. Expected: file:{example}.");
    }

    private static bool IsBeneath(string real, IReadOnlyList<string> folders) => folders.Any(folder =>
    {
        var root = Path.TrimEndingDirectorySeparator(RealPath(folder));
        return real == root || real.StartsWith(root.EndsWith(Path.DirectorySeparatorChar) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    });

    /// <summary>The path with every link in it replaced by what it points to. Parts that do not exist stay as they are.</summary>
    private static string RealPath(string path)
    {
        var root = Path.GetPathRoot(path)!;
        var resolved = root;
        var rest = new Stack<string>(Parts(path[root.Length..]).Reverse());
        var links = 0;
        while (rest.TryPop(out var part))
        {
            if (part == "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }

            var next = Path.Combine(resolved, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new LlmOsException(ErrorCode.NotAllowed, "The path has too many symbolic links; they may form a loop.") { Field = "source" };
            }

            // The target's own parts may be links as well, so they are walked like the rest.
            if (Path.IsPathRooted(target))
            {
                resolved = Path.GetPathRoot(target)!;
                target = target[resolved.Length..];
            }

            foreach (var piece in Parts(target).Reverse())
            {
                rest.Push(piece);
            }
        }

        return resolved;
    }

    private static IEnumerable<string> Parts(string path) =>
        path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".");
}
