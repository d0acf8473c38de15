using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>One piece of long work, from its submission to its end. The row is the truth; hosts only borrow it by a lease.</summary>
public sealed class Job : IRowVersion
{
    /// <summary>Order of submission.</summary>
    public long Seq { get; set; }

    /// <summary><c>job_</c> and 24 hex digits; not guessable.</summary>
    public required string Id { get; init; }

    public required string Kind { get; init; }

    public JobState State { get; private set; } = JobState.Queued;

    /// <summary>Higher runs first.</summary>
    public int Priority { get; init; }

    /// <summary>The jobs that must have succeeded before this one begins.</summary>
    public List<JobDependency> After { get; init; } = [];

    /// <summary>Not to be begun before: the pause between two tries. Null: at once.</summary>
    public DateTimeOffset? RunAfter { get; private set; }

    /// <summary>From 0 to 1.</summary>
    public double Progress { get; private set; }

    /// <summary>The English line of <see cref="Code"/> and <see cref="Arguments"/>.</summary>
    public string Message { get; private set; } = JobCodes.WaitingForHost.Sentence;

    /// <summary>The word of a <see cref="JobCode"/>; null where an older version wrote the message.</summary>
    public string? Code { get; private set; } = JobCodes.WaitingForHost.Word;

    /// <summary>JSON object of texts and numbers; null where the code has none.</summary>
    public string? Arguments { get; private set; }

    /// <summary>Counts the runs; what a run writes is refused once the number has moved on.</summary>
    public int Attempt { get; private set; }

    /// <summary>Runs in a row that ended with their host and got no further than <see cref="Headway"/>; too many fail the job.</summary>
    public int LostAttempts { get; private set; }

    /// <summary>Runs in a row that failed for a passing reason and got no further than <see cref="Headway"/>.</summary>
    public int Failures { get; private set; }

    /// <summary>The furthest <see cref="Progress"/> at which a run broke off: a job that gets on is not given up.</summary>
    public double Headway { get; private set; }

    /// <summary>The host that holds, or last held, the lease.</summary>
    public string? Node { get; private set; }

    /// <summary>Until when the host may be silent.</summary>
    public DateTimeOffset? LeaseUntil { get; private set; }

    public bool CancelRequested { get; private set; }

    public bool PauseRequested { get; private set; }

    /// <summary>What the job is about, such as the name of what it makes; null where its kind names nothing.</summary>
    public string? Subject { get; init; }

    /// <summary>JSON, as it was submitted; empty where it lies in the blob <see cref="SpecSha256"/>.</summary>
    public required string Spec { get; init; }

    /// <summary>The blob of a large specification.</summary>
    public string? SpecSha256 { get; init; }

    /// <summary>JSON; null until the job has succeeded.</summary>
    public string? Result { get; private set; }

    /// <summary>JSON of a <see cref="JobError"/>; null unless the job failed.</summary>
    public string? Error { get; private set; }

    /// <summary>JSON object of numbers by name.</summary>
    public string Metrics { get; private set; } = "{}";

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    public double? EtaSeconds { get; private set; }

    public long RowVersion { get; set; }

    /// <summary>True when nothing more will happen unless somebody asks for a retry.</summary>
    public bool IsOver => IsEnd(State);

    internal static bool IsEnd(JobState state) => state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    /// <summary>What it says, as it is stored.</summary>
    internal JobLine Line => new(Message, Code, Arguments);

    /// <summary>A job that waits for its first run.</summary>
    public static Job Submit(string kind, string? subject, StoredSpec spec, int priority, DateTimeOffset now, params IReadOnlyList<string> after)
    {
        var job = new Job
        {
            Id = NewId(),
            Kind = kind,
            Subject = subject,
            Spec = spec.Json,
            SpecSha256 = spec.Sha256,
            Priority = priority,
            After = [.. after.Distinct(StringComparer.Ordinal).Select(id => new JobDependency { AfterId = id })],
            CreatedAt = now,
        };
        job.Say(after.Count > 0 ? JobCodes.WaitingForJobs : JobCodes.WaitingForHost);
        return job;
    }

    /// <summary>As above with a specification for the row, about nothing that has a name.</summary>
    public static Job Submit(string kind, string spec, int priority, DateTimeOffset now, params IReadOnlyList<string> after) =>
        Submit(kind, null, new StoredSpec(spec, null), priority, now, after);

    public static string NewId() => $"job_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";

    /// <summary>The steps between states that there are.</summary>
    public static bool MayStep(JobState from, JobState to) => (from, to) switch
    {
        (JobState.Queued, JobState.Running or JobState.Paused or JobState.Cancelled) => true,
        (JobState.Running, JobState.Pausing or JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Queued) => true,
        (JobState.Pausing, JobState.Paused or JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Queued) => true,
        (JobState.Paused, JobState.Queued or JobState.Cancelled) => true,
        (JobState.Failed or JobState.Cancelled, JobState.Queued) => true,
        _ => false,
    };

    /// <summary>Asks for an end. A job that no host runs is cancelled at once; a running one when its run has stopped.</summary>
    public void Cancel(DateTimeOffset now)
    {
        if (State is JobState.Cancelled)
        {
            return;
        }

        if (IsOver)
        {
            throw Refuse("cancelled");
        }

        CancelRequested = true;
        Say(JobCodes.Cancelling);
        if (State is JobState.Queued or JobState.Paused)
        {
            Step(JobState.Cancelled);
            Say(JobCodes.Cancelled);
            FinishedAt = now;
            RunAfter = null;
        }
    }

    /// <summary>Asks for a rest. Only a running job needs a kind that can pause.</summary>
    public void Pause(bool kindCanPause)
    {
        switch (State)
        {
            case JobState.Paused or JobState.Pausing:
                return;
            case JobState.Queued:
                Step(JobState.Paused);
                Say(JobCodes.PausedBeforeStart);
                return;
            case JobState.Running when kindCanPause && !CancelRequested:
                Step(JobState.Pausing);
                PauseRequested = true;
                Say(JobCodes.Pausing);
                return;
            case JobState.Running when !kindCanPause:
                throw new LlmOsException(ErrorCode.Conflict, $"A running job of kind '{Kind}' cannot be paused.")
                {
                    Hint = "Cancel it, and retry it later.",
                };
            default:
                throw Refuse("paused");
        }
    }

    /// <summary>Lets a paused job wait for a host again.</summary>
    public void Resume()
    {
        if (State != JobState.Paused)
        {
            throw Refuse("resumed");
        }

        Step(JobState.Queued);
        PauseRequested = false;
        RunAfter = null;
        Say(JobCodes.WaitingForHost);
    }

    /// <summary>Runs a failed or cancelled job once more: the same job, so its result is still published once.</summary>
    public void Retry()
    {
        if (State is not (JobState.Failed or JobState.Cancelled))
        {
            throw Refuse("retried");
        }

        Step(JobState.Queued);
        (CancelRequested, PauseRequested, LostAttempts, Failures, Headway) = (false, false, 0, 0, 0);
        (Progress, Error, FinishedAt, EtaSeconds, Metrics, RunAfter) = (0, null, null, null, "{}", null);
        Say(JobCodes.WaitingForHost);
    }

    /// <param name="spec">The specification, from wherever it lies.</param>
    internal JobView ToView(JsonElement spec) => JobHead.Of(this).ToView(spec, JobJson.ParseOrNull(Result));

    /// <summary>An argument of what the job says; null where there is none of this name.</summary>
    internal string? Named(string argument) =>
        JobJson.ParseOrNull(Arguments) is { ValueKind: JsonValueKind.Object } named && named.TryGetProperty(argument, out var value) ? value.ToString() : null;

    /// <summary>A line of the history that says where the job stands.</summary>
    public JobEvent ToEvent(DateTimeOffset now) => new()
    {
        JobId = Id,
        Attempt = Attempt,
        State = State,
        Progress = Progress,
        Message = Message,
        Code = Code,
        Arguments = Arguments,
        EtaSeconds = EtaSeconds,
        Metrics = Metrics,
        At = now,
    };

    /// <summary>What the job itself says takes no arguments.</summary>
    private void Say(JobCode code) => (Message, Code, Arguments) = (code.Sentence, code.Word, null);

    private void Step(JobState to) =>
        State = MayStep(State, to) ? to : throw new InvalidOperationException($"A job does not go from {State} to {to}.");

    private LlmOsException Refuse(string verb) =>
        new(ErrorCode.Conflict, $"Job {Id} is {State.ToString().ToLowerInvariant()} and cannot be {verb}.");
}
