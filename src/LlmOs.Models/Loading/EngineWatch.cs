using LlmOs.Engine;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Loading;

/// <summary>Writes an engine's faults into the log.</summary>
internal sealed partial class EngineWatch(string reference, ILogger log) : IEngineObserver
{
    public void Failed(Exception fault, int ended) => LogFailed(reference, ended, fault);

    public void Rebuilt(TimeSpan took) => LogRebuilt(reference, took.TotalMilliseconds);

    public void Closed(Exception fault) => LogClosed(reference, fault);

    [LoggerMessage(LogLevel.Error, "A step of {Model} failed and ended {Count} requests")]
    private partial void LogFailed(string model, int count, Exception fault);

    [LoggerMessage(LogLevel.Warning, "Opened {Model} anew after a fault, in {Milliseconds:F0} ms")]
    private partial void LogRebuilt(string model, double milliseconds);

    [LoggerMessage(LogLevel.Error, "The engine of {Model} ended by a fault; the next request loads it again")]
    private partial void LogClosed(string model, Exception fault);
}
