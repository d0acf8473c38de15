using System.ComponentModel.DataAnnotations;

namespace LlmOs.Models.Import.Pull;

/// <summary>Section <c>Pull</c> of the configuration.</summary>
public sealed class PullOptions
{
    public const string Section = "Pull";

    /// <summary>Attempts in a row that bring no byte before a download fails.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 6;

    /// <summary>Milliseconds before the second attempt; each further one waits twice as long.</summary>
    [Range(0, 60_000)]
    public int FirstPauseMilliseconds { get; set; } = 1000;

    /// <summary>Seconds that a host may ask us to wait (Retry-After); one that asks for more fails the download.</summary>
    [Range(0, 86_400)]
    public int MaxPauseSeconds { get; set; } = 300;

    /// <summary>Seconds without a byte after which a connection counts as lost.</summary>
    [Range(1, 3600)]
    public int StandstillSeconds { get; set; } = 60;
}
