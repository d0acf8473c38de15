using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training.Child;
using LlmOs.Trainer.Run;

if (args is ["--replay", var replayFile])
{
    var replay = JsonSerializer.Deserialize<ReplaySpec>(File.ReadAllBytes(replayFile), LlmOsJson.Options) ?? throw new JsonException("The replay file holds null.");
    var replaying = new Thread(() => TrainingReplay.Run(replay), 16 << 20);
    replaying.Start();
    replaying.Join();
    return TrainerExit.Done;
}

if (args.Length is 0 or > 2 || args.Skip(1).Any(a => a != "--attached"))
{
    Console.Error.WriteLine("Usage: LlmOs.Trainer JOB.json [--attached]  or  LlmOs.Trainer --replay SPEC.json");
    Console.Error.WriteLine("Runs one training. Events go to standard output, one JSON object a line. With --attached, commands come from");
    Console.Error.WriteLine("standard input (cancel, pause, checkpoint), and the process ends when that is closed. --replay repeats a written-down training.");
    return TrainerExit.BadInput;
}

using var channel = new EventChannel(Console.OpenStandardOutput());
using var control = new TrainerControl();
TrainerJob job;
try
{
    job = JsonSerializer.Deserialize<TrainerJob>(File.ReadAllBytes(args[0]), LlmOsJson.Options)
        ?? throw new JsonException("The job file holds null.");
}
catch (Exception fault) when (fault is JsonException or IOException)
{
    channel.Emit(new TrainerFailed("invalid_request", $"The job file cannot be read: {fault.Message}", null, null));
    return TrainerExit.BadInput;
}

if (job.LowPriority)
{
    // Linux gives new threads the priority of the thread that starts them: torch's come from the training thread.
    Process.GetCurrentProcess().PriorityClass = ProcessPriorityClass.Idle;
}

// One thread for the whole training: torch's modes, scopes and thread pool belong to the thread that uses them.
var exit = TrainerExit.Failed;
var training = new Thread(() => exit = TrainingThread.Run(job, channel.Emit, control), 16 << 20) { Name = "training" };
training.Start();
if (args.Length < 2)
{
    training.Join();
    return exit;
}

CommandReader.Start(Console.OpenStandardInput(), training, control);
var signals = CommandReader.Signals(control);
using (Heartbeat.Start(channel))
{
    training.Join();
}

Array.ForEach(signals, s => s.Dispose());
return exit;
