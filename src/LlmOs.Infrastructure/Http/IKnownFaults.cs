namespace LlmOs.Infrastructure.Http;

/// <summary>Faults of a tier that the caller of a request can act on. Register as a singleton.</summary>
public interface IKnownFaults
{
    /// <summary>The refusal that a fault is; null for a bug.</summary>
    LlmOsException? AsRefusal(Exception fault);
}

/// <summary>Asks all tiers.</summary>
public static class KnownFaults
{
    /// <summary>The refusal that a fault is; null for a bug.</summary>
    public static LlmOsException? AsRefusal(this IEnumerable<IKnownFaults> tiers, Exception fault) =>
        fault as LlmOsException ?? tiers.Select(tier => tier.AsRefusal(fault)).FirstOrDefault(refusal => refusal is not null);
}
