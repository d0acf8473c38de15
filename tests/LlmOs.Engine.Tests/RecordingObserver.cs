using System.Collections.Concurrent;

namespace LlmOs.Engine.Tests;

/// <summary>Keeps what an engine told its operator.</summary>
internal sealed class RecordingObserver : IEngineObserver
{
    public ConcurrentQueue<(Exception Fault, int Ended)> Faults { get; } = new();

    public ConcurrentQueue<Exception> Ends { get; } = new();

    public int Rebuilds;

    public void Failed(Exception fault, int ended) => Faults.Enqueue((fault, ended));

    public void Rebuilt(TimeSpan took) => Interlocked.Increment(ref Rebuilds);

    public void Closed(Exception fault) => Ends.Enqueue(fault);
}
