#if LONG_TESTS
using System.Globalization;

namespace LlmOs.Server.Tests.Hosting.Chaos;

/// <summary>
/// A clock that a test sets under a running server, by libfaketime: the time of day jumps for the process, and what counts seconds
/// from a start goes on.
/// </summary>
internal sealed class FakeClock
{
    private const string Library = "libfaketimeMT.so.1";
    private readonly string _file;

    public FakeClock(string file)
    {
        _file = file;
        Set(TimeSpan.Zero);
    }

    /// <summary>What the server is to be started with.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Environment =>
    [
        new("LD_PRELOAD", Find()),
        new("FAKETIME_TIMESTAMP_FILE", _file),
        new("FAKETIME_NO_CACHE", "1"),
        new("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];

    /// <summary>Lets the process see a time this far from the true one.</summary>
    public void Set(TimeSpan offset)
    {
        var next = _file + ".next";
        File.WriteAllText(next, offset.TotalSeconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture));
        File.Move(next, _file, overwrite: true); // the process reads it at every look at the clock
    }

    private static string Find() =>
        Directory.EnumerateDirectories("/usr/lib", "faketime", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(folder => Path.Combine(folder, Library))
            .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException($"{Library} is not there. The Debian package faketime brings it.");
}
#endif
