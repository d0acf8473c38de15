using Xunit;

namespace LlmOs.Testing;

/// <summary>
/// The folder of real models, data and reference vectors, which a clone does not carry: <c>LLMOS_SHARED</c>,
/// else <c>../shared</c> beside the repository. Tests that need it skip with the reason where it is absent.
/// </summary>
public static class SharedFolder
{
    /// <summary>The repository's root: the folder that holds <c>LlmOs.sln</c>.</summary>
    public static string Repository { get; } = FindRepository();

    private static readonly string? Root = Find();

    /// <summary>An existing path below the folder; skips the test when it is not there.</summary>
    public static string Require(params string[] parts)
    {
        Assert.SkipWhen(Root is null, "needs the shared folder (LLMOS_SHARED or ../shared), which is not here");
        var path = Path.Combine([Root!, .. parts]);
        Assert.True(Path.Exists(path), $"The shared folder lacks {string.Join('/', parts)}.");
        return path;
    }

    /// <summary>An existing path below the folder, or null: for data of tests, which skip by themselves where there is none.</summary>
    public static string? TryFind(params string[] parts) =>
        Root is not null && Path.Combine([Root, .. parts]) is var path && Path.Exists(path) ? path : null;

    private static string? Find()
    {
        var stated = Environment.GetEnvironmentVariable("LLMOS_SHARED");
        var path = string.IsNullOrEmpty(stated) ? Path.Combine(Repository, "..", "shared") : stated;
        return Directory.Exists(path) ? Path.GetFullPath(path) : null;
    }

    private static string FindRepository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "LlmOs.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException("There is no LlmOs.sln above the tests.");
    }
}
