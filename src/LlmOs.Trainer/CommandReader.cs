using System.Diagnostics;

namespace LlmOs.Trainer;

/// <summary>Listens to the process that started this one.</summary>
internal static class CommandReader
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Commands are lines; <c>cancel</c> ends the training at its next step. When the input closes, the parent is gone.</summary>
    /// <param name="training">Given a moment to end by itself.</param>
    public static void Start(Stream input, Thread training, CancellationTokenSource cancel)
    {
        var listener = new Thread(() =>
        {
            using var reader = new StreamReader(input);
            while (reader.ReadLine() is { } command)
            {
                if (command.Trim() == "cancel")
                {
                    cancel.Cancel();
                }
                else
                {
                    Console.Error.WriteLine($"Unknown command of {command.Length} characters.");
                }
            }

            // Nobody is left to read a result. Checkpoints appear whole or not at all, so a hard end harms nothing either.
            cancel.Cancel();
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
}
