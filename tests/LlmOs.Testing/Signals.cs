using System.Runtime.InteropServices;

namespace LlmOs.Testing;

/// <summary>Signals to processes that a test has started.</summary>
public static partial class Signals
{
    public const int Kill = 9;
    public const int Term = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int processId, int signal)
    {
        if (SendNative(processId, signal) != 0)
        {
            throw new InvalidOperationException($"Process {processId} could not be sent signal {signal}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendNative(int processId, int signal);
}
