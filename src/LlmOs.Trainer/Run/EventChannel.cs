using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Run;

/// <summary>Writes events as lines of JSON. Safe on any thread.</summary>
internal sealed class EventChannel(Stream output) : IDisposable
{
    private readonly Lock _gate = new();

    public void Emit(TrainerEvent happened)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(happened, LlmOsJson.Options), (byte)'\n'];
        lock (_gate)
        {
            output.Write(line);
            output.Flush();
        }
    }

    public void Dispose() => output.Dispose();
}
