using System.Diagnostics;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>A disk of its own for a test, small enough to be filled. Linux, as root.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly TempFolder _temp = new();
    private bool _mounted;

    /// <summary>Where it is mounted.</summary>
    public string Root => Directory.CreateDirectory(_temp.At("disk")).FullName;

    /// <summary>Makes it; skips the test where that is not allowed.</summary>
    public async Task MountAsync(int megabytes)
    {
        _mounted = OperatingSystem.IsLinux() && await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Root);
        Assert.SkipUnless(_mounted, "mount: a small disk is made by root");
    }

    /// <summary>Takes all of its room, to the last byte; freed by deleting the file that it names.</summary>
    public string Fill()
    {
        var path = Path.Combine(Root, "fill");
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
                size /= 2;
            }
        }

        return path;
    }

    /// <summary>Shows the disk in a second folder where nobody may write; modes do not stop root.</summary>
    public async Task<string> ShowReadOnlyAsync()
    {
        var copy = Directory.CreateDirectory(_temp.At("read-only")).FullName;
        Assert.True(await RunAsync("mount", "--bind", Root, copy) && await RunAsync("mount", "-o", "remount,ro,bind", copy));
        return copy;
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted)
        {
            await RunAsync("umount", "-l", Root);
        }

        _temp.Dispose();
    }

    /// <summary>Takes a second view away.</summary>
    public static Task HideAsync(string copy) => RunAsync("umount", "-l", copy);

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
