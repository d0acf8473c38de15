namespace LlmOs.Web.Language;

/// <content>The words of jobs and nodes.</content>
public sealed partial record Texts
{
    public required string LatestJobs { get; init; }

    public required string NoJobsYet { get; init; }

    public required string NoJobsOfState { get; init; }

    public required string All { get; init; }

    public required string Kind { get; init; }

    public required string State { get; init; }

    public required string Progress { get; init; }

    public required string Created { get; init; }

    public required string Finished { get; init; }

    public required string More { get; init; }

    public required string JobOfKind { get; init; }

    public required string StateQueued { get; init; }

    public required string StateRunning { get; init; }

    public required string StatePausing { get; init; }

    public required string StatePaused { get; init; }

    public required string StateSucceeded { get; init; }

    public required string StateFailed { get; init; }

    public required string StateCancelled { get; init; }

    public required string JobProgressOf { get; init; }

    public required string TimeLeft { get; init; }

    public required string Pause { get; init; }

    public required string Resume { get; init; }

    public required string Cancel { get; init; }

    public required string Retry { get; init; }

    public required string Result { get; init; }

    public required string TryIt { get; init; }

    public required string LossCurve { get; init; }

    public required string TrainingLoss { get; init; }

    public required string ValidationLoss { get; init; }

    public required string NoCurveYet { get; init; }

    public required string CurveDescription { get; init; }

    public required string Facts { get; init; }

    public required string Id { get; init; }

    public required string Attempt { get; init; }

    public required string Node { get; init; }

    public required string Specification { get; init; }

    public required string Log { get; init; }

    public required string NoLog { get; init; }

    public required string Name { get; init; }

    public required string Roles { get; init; }

    public required string Processors { get; init; }

    public required string Memory { get; init; }

    public required string LastSeen { get; init; }

    public required string NodeReady { get; init; }

    public required string NodeDraining { get; init; }

    public required string NodeLost { get; init; }

    public required string CompareRuns { get; init; }

    public required string Compare { get; init; }

    public required string CompareRun { get; init; }

    public required string CompareHelp { get; init; }

    public required string FiguresAndSettings { get; init; }

    public required string DifferentSettings { get; init; }

    public required string TimeTaken { get; init; }

    public required string TokensPerSecond { get; init; }

    public required string Samples { get; init; }

    public required string NoSampleYet { get; init; }

    public required string SamplesHelp { get; init; }

    public required string AtStep { get; init; }
}
