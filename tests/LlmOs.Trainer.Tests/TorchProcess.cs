using System.Runtime.InteropServices;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Tests;
using Xunit.Sdk;
using Xunit.v3;

// Torch's threads and its source of chance belong to the process: one test at a time uses them.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(TorchProcess))]

namespace LlmOs.Trainer.Tests;

/// <summary>Makes this process one that trains: libtorch is loaded once, with the environment that a trainer gets.</summary>
public sealed partial class TorchProcess
{
    public TorchProcess()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var environment = new Dictionary<string, string?>();
        TrainerProcess.SetEnvironment(environment, Environment.ProcessorCount);
        foreach (var (name, value) in environment)
        {
            // .NET keeps a copy of its own; libgomp reads the process' one when it is loaded.
            _ = SetVariable(name, value!, 1);
        }
    }

    /// <summary>Runs something on a thread of its own, as the trainer does: torch's modes and scopes are a thread's.</summary>
    public static Task<T> RunAsync<T>(Func<T> act)
    {
        var ended = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                try
                {
                    ended.SetResult(act());
                }
                catch (Exception fault)
                {
                    ended.SetException(fault);
                }
            },
            16 << 20)
        { Name = "training" };
        thread.Start();
        return ended.Task;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
