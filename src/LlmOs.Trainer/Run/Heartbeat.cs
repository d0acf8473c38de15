using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Run;

/// <summary>Says every five seconds that the process is alive; a step may take far longer than that.</summary>
internal static class Heartbeat
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    public static IDisposable Start(EventChannel channel) => new Timer(_ => channel.Emit(new TrainerHeartbeat()), null, Every, Every);
}
