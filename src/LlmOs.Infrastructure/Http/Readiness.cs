namespace LlmOs.Infrastructure.Http;

/// <summary>Something that must be in place before the host counts as ready. Register as a singleton.</summary>
public interface IReadinessCheck
{
    /// <summary>Null when it is in place, else a short reason without details of the machine: everybody may read it.</summary>
    Task<string?> WhyNotAsync(CancellationToken cancel);
}
