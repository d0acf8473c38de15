using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LlmOs.Trainer.Run;

/// <summary>Listens to the process that started this one.</summary>
internal static class CommandReader
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Commands are lines: <c>cancel</c> ends the training at its next step, <c>pause</c> too but leaves a checkpoint,
    /// <c>checkpoint</c> writes one and goes on. When the input closes, the parent is gone; that is a pause.
    /// </summary>
    /// <param name="training">Given a moment to end by itself.</param>
    public static void Start(Stream input, Thread training, TrainerControl control)
    {
        var listener = new Thread(() =>
        {
            using var reader = new StreamReader(input);
            while (reader.ReadLine() is { } command)
            {
                switch (command.Trim())
                {
                    case "cancel":
                        control.Cancel();
                        break;
                    case "pause":
                        control.Pause();
                        break;
                    case "checkpoint":
                        control.AskForCheckpoint();
                        break;
                    default:
                        Console.Error.WriteLine($"Unknown command of {command.Length} characters.");
                        break;
                }
            }

            // Nobody is left to read a result. Checkpoints appear whole or not at all, so a hard end harms nothing either.
            if (!control.Stopping.IsCancellationRequested)
            {
                control.Pause();
            }

            if (!training.Join(Patience))
            {
                Process.GetCurrentProcess().Kill();
            }
        })
        {
            IsBackground = true,
            Name = "commands",
        };
        listener.Start();
    }

    /// <summary>A terminal's Ctrl-C goes to every process of its group; only the parent answers it. SIGTERM is a pause.</summary>
    public static IDisposable[] Signals(TrainerControl control) =>
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            control.Pause();
        }),
    ];
}
