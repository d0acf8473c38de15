using System.Diagnostics;
using System.Globalization;

namespace LlmOs.Infrastructure;

/// <summary>
/// Named places at which a test ends the process, as <c>kill -9</c> does: once, where a file of that name lies in the folder
/// that <c>LLMOS_FAULT_POINTS</c> names. The file holds how often the place is passed before. Without that variable nothing is
/// looked at. See docs/testing.md.
/// </summary>
public static class FaultPoints
{
    /// <summary>Names the folder; also the trainer gets it, whose other settings are its job's alone.</summary>
    public const string Variable = "LLMOS_FAULT_POINTS";

    private static readonly string? Folder = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } stated ? stated : null;

    /// <param name="name">A literal, so that the tests find every point in the source.</param>
    public static void Reach(string name)
    {
        if (Folder is not null && Path.Combine(Folder, name) is var armed && File.Exists(armed))
        {
            if (int.Parse(File.ReadAllText(armed), CultureInfo.InvariantCulture) is > 0 and var passes)
            {
                File.WriteAllText(armed, (passes - 1).ToString(CultureInfo.InvariantCulture));
                return;
            }

            File.Delete(armed);
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }
    }
}
