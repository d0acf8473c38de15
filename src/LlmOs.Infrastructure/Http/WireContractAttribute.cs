namespace LlmOs.Infrastructure.Http;

/// <summary>
/// Marks a record that comes from the wire and stands beside its endpoints, as those of a dialect do that no client of ours
/// speaks. It is checked as the records of the contracts are.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class WireContractAttribute : Attribute;
