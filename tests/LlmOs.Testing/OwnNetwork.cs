using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LlmOs.Testing;

/// <summary>
/// A network of a process's own, with the loopback device and no way out: the kernel counts there whatever the process tries
/// to send elsewhere. Linux, as root.
/// </summary>
public static partial class OwnNetwork
{
    private const int NewNetwork = 0x40000000; // CLONE_NEWNET

    /// <summary>What starts a program in a network of its own; its process id stays that of the started process.</summary>
    public static string[] Launcher { get; } = ["unshare", "--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""];

    /// <summary>Whether this machine lets us make one.</summary>
    public static async Task<bool> IsAllowedAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            using var process = Process.Start(new ProcessStartInfo(Launcher[0], [.. Launcher[1..], "true"]) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // the programs are not installed
        }
    }

    /// <summary>A TCP socket within the network of a process.</summary>
    public static Task<Socket> OpenAsync(int processId)
    {
        var opened = new TaskCompletionSource<Socket>();

        // A thread of its own: it belongs to the other network from then on.
        new Thread(() =>
        {
            try
            {
                using var network = File.OpenHandle($"/proc/{processId}/ns/net");
                opened.SetResult(Enter(network, NewNetwork) == 0
                    ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                    : throw new InvalidOperationException($"The network of process {processId} could not be entered: error {Marshal.GetLastPInvokeError()}."));
            }
            catch (Exception fault)
            {
                opened.SetException(fault);
            }
        }).Start();
        return opened.Task;
    }

    /// <summary>How often something in the network of a process tried to reach an address beyond it, or to ask for a name.</summary>
    public static long AttemptsOutside(int processId)
    {
        var lines = File.ReadAllLines($"/proc/{processId}/net/snmp");
        var six = File.ReadAllLines($"/proc/{processId}/net/snmp6").Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts[0] is "Ip6OutNoRoutes" or "Udp6OutDatagrams").Sum(parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
        return Counter(lines, "Ip:", "OutNoRoutes") + Counter(lines, "Udp:", "OutDatagrams") + six;
    }

    private static long Counter(string[] lines, string protocol, string name)
    {
        var rows = lines.Where(line => line.StartsWith(protocol, StringComparison.Ordinal)).Select(line => line.Split(' ')).ToList();
        return long.Parse(rows[1][Array.IndexOf(rows[0], name)], CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int Enter(SafeHandle network, int kind);
}
