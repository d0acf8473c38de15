using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>Asks for a job that makes a version of a data set out of another: its rows go through steps, in their order.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PreparationRequest
{
    /// <summary>The version to read: <c>name:3</c>, or <c>name</c> for the newest one.</summary>
    [StringLength(80, MinimumLength = 1)]
    public required string Dataset { get; init; }

    /// <summary>The data set that gets the new version. Default: the one that is read.</summary>
    [StringLength(64)]
    public string? Name { get; init; }

    /// <summary>
    /// Steps such as <c>{"step": "normalize"}</c>. Each works on the text of <c>column</c> (default <c>text</c>) and has fields of
    /// its own; docs/data.md lists them.
    /// </summary>
    [Length(1, 32)]
    public required IReadOnlyList<JsonElement> Steps { get; init; }

    /// <summary>Above 0: nothing is stored; the answer shows at once what the steps make of so many rows.</summary>
    [Range(0, 1_000)]
    public int? Preview { get; init; }
}

/// <summary>A row that a step changed or dropped.</summary>
/// <param name="Row">Its number in the version that is read.</param>
/// <param name="After">The text that the step left; null where the row was dropped.</param>
/// <param name="Reason">Why it was dropped, or the split that it was put into.</param>
public sealed record PreparationExample(long Row, string? Before, string? After, string? Reason);

/// <summary>What a step did.</summary>
/// <param name="Reasons">Rows that were dropped, by the rule that dropped them.</param>
/// <param name="Examples">The first few rows that it changed or dropped; long texts are cut.</param>
public sealed record PreparationStepReport(
    string Step, long RowsIn, long RowsOut, long Changed, long Dropped, IReadOnlyDictionary<string, long> Reasons, IReadOnlyList<PreparationExample> Examples);

/// <summary>The result of a preparation.</summary>
/// <param name="Dataset">Null for a preview, as <paramref name="Version"/> and <paramref name="Ref"/> are.</param>
/// <param name="Splits">Rows by split.</param>
public sealed record PreparationResult(
    string? Dataset, int? Version, string? Ref, long RowsIn, long RowsOut, IReadOnlyDictionary<string, long> Splits, string? Sha256, IReadOnlyList<PreparationStepReport> Steps)
{
    /// <summary>The rows that a preview leaves.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<JsonElement>? Items { get; init; }
}
