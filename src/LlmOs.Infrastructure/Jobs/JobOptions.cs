using System.ComponentModel.DataAnnotations;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Section <c>Jobs</c> of the configuration.</summary>
public sealed class JobOptions
{
    public const string Section = "Jobs";

    /// <summary>Seconds that a host may be silent before its jobs go to others.</summary>
    [Range(1.0, 3600.0)]
    public double LeaseSeconds { get; set; } = 20;

    /// <summary>Jobs of <see cref="JobLane.General"/> that a host runs at once.</summary>
    [Range(1, 64)]
    public int GeneralTurns { get; set; } = 2;

    /// <summary>Runs in a row that may break off, without getting further than an earlier one, before the job fails.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>Seconds before the second try; each further one waits twice as long, at most five minutes.</summary>
    [Range(0.1, 300.0)]
    public double RetrySeconds { get; set; } = 2;

    /// <summary>Days that an ended job is kept with its events and its log.</summary>
    [Range(1, 36_500)]
    public int KeepDays { get; set; } = 90;

    /// <summary>Whether jobs of <see cref="JobLane.Heavy"/> leave the processor to everything else on the machine that wants it, requests first of all.</summary>
    public bool LowPriority { get; set; } = true;

    internal TimeSpan Lease => TimeSpan.FromSeconds(LeaseSeconds);

    /// <summary>Several times within a lease, so that one slow answer of the database loses nothing.</summary>
    internal TimeSpan RenewInterval => Lease / 4;

    /// <summary>How often a run looks whether it is still wanted.</summary>
    internal TimeSpan WatchInterval => TimeSpan.FromMilliseconds(Math.Min(250, Lease.TotalMilliseconds / 8));
}
