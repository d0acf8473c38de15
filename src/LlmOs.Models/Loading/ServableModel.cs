using LlmOs.Contracts;

namespace LlmOs.Models.Loading;

/// <summary>A version that can be asked, as the registry knows it. A version never changes, so its reference tells them apart.</summary>
/// <param name="Name">The model's name, without version.</param>
/// <param name="Vocabulary">Token ids go from 0 to one less.</param>
public sealed record ServableModel(
    string Name,
    int Version,
    string Task,
    int ContextLength,
    int Vocabulary,
    string Precision,
    DateTimeOffset CreatedAt,
    IReadOnlyList<ModelFileView> Files)
{
    /// <summary><c>name:3</c></summary>
    public string Reference => $"{Name}:{Version}";

    public bool Equals(ServableModel? other) => other is not null && other.Reference == Reference;

    public override int GetHashCode() => Reference.GetHashCode(StringComparison.Ordinal);
}
