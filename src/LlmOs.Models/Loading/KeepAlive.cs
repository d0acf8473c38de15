using LlmOs.Infrastructure;

namespace LlmOs.Models.Loading;

/// <summary>How long a model stays loaded while nobody uses it.</summary>
/// <param name="Time">Null: until its memory is needed.</param>
public readonly record struct KeepAlive(TimeSpan? Time)
{
    /// <summary>Seconds, a year.</summary>
    public const double MaxSeconds = 31_536_000;

    /// <summary>What a request states: seconds from 0 on, or -1 for "until its memory is needed".</summary>
    /// <returns>Null where it states nothing.</returns>
    /// <exception cref="LlmOsException">400: another number.</exception>
    public static KeepAlive? Read(double? seconds) => seconds switch
    {
        null => null,
        -1 => new KeepAlive(null),
        >= 0 and <= MaxSeconds => new KeepAlive(TimeSpan.FromSeconds(seconds.Value)),
        _ => throw LlmOsException.Invalid("keep_alive", $"'keep_alive' is {seconds}; expected seconds from 0 to {MaxSeconds}, or -1 to keep the model until its memory is needed."),
    };
}
