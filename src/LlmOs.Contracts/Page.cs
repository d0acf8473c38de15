using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>One page of a listing.</summary>
/// <param name="Items">The rows, in the listing's order.</param>
/// <param name="Next">What to send as <c>after</c> for the following page; null on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next)
{
    /// <summary>Rows of the whole listing, on all pages; only where the listing counts them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}
