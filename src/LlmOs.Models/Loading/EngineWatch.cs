using LlmOs.Engine;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Loading;

/// <summary>Writes an engine's faults into the log, and counts what it does.</summary>
internal sealed partial class EngineWatch(string reference, ServingMetrics metrics, ILogger log) : IEngineObserver
{
    private readonly ServingMetrics.EngineFigures _figures = metrics.Of(reference);

    public void Failed(Exception fault, int ended)
    {
        _figures.Failed();
        LogFailed(reference, ended, fault);
    }

    public void Rebuilt(TimeSpan took) => LogRebuilt(reference, took.TotalMilliseconds);

    public void Closed(Exception fault) => LogClosed(reference, fault);

    public void Stepped(int sequences, int tokens) => _figures.Stepped(sequences, tokens);

    public void PromptRead(int tokens, int cached) => _figures.PromptRead(tokens, cached);

    public void FirstToken(int tokens, TimeSpan sinceSubmitted) => _figures.FirstToken(tokens, sinceSubmitted);

    public void NextToken(int tokens, TimeSpan sinceLast) => _figures.NextToken(tokens, sinceLast);

    public void Preempted(int count) => _figures.Preempted(count);

    public void Ended(EngineUsage usage, RunOutcome outcome) => _figures.Ended(usage, outcome);

    public void CardNotUsed(Exception reason) => LogCardNotUsed(reference, reason.Message);

    [LoggerMessage(LogLevel.Warning, "{Model} runs on the processor. {Reason}")]
    private partial void LogCardNotUsed(string model, string reason);

    [LoggerMessage(LogLevel.Error, "A step of {Model} failed and ended {Count} requests")]
    private partial void LogFailed(string model, int count, Exception fault);

    [LoggerMessage(LogLevel.Warning, "Opened {Model} anew after a fault, in {Milliseconds:F0} ms")]
    private partial void LogRebuilt(string model, double milliseconds);

    [LoggerMessage(LogLevel.Error, "The engine of {Model} ended by a fault; the next request loads it again")]
    private partial void LogClosed(string model, Exception fault);
}
