using LlmOs.Tools.Training;

namespace LlmOs.Trainer;

/// <summary>Listens to the process that started this one.</summary>
internal static class CommandReader
{
    /// <summary>Commands are lines; <c>cancel</c> ends the training at its next step. When the input closes, the parent is gone.</summary>
    public static void Start(Stream input, CancellationTokenSource cancel)
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

            // Checkpoints and results appear whole or not at all, so there is nothing to tidy up.
            Environment.Exit(TrainerExit.Cancelled);
        })
        {
            IsBackground = true,
            Name = "commands",
        };
        listener.Start();
    }
}
