using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>Asks for a job that looks for the rows of a test set in a training set.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record LeakageRequest
{
    /// <summary>The version that a model is trained on: <c>name:3</c>.</summary>
    [StringLength(80, MinimumLength = 1)]
    public required string Train { get; init; }

    /// <summary>The version that it is tested on; may be the same one, with another split.</summary>
    [StringLength(80, MinimumLength = 1)]
    public required string Test { get; init; }

    /// <summary>Rows of this split of <see cref="Train"/> alone. Default: all.</summary>
    [StringLength(64)]
    public string? TrainSplit { get; init; }

    /// <summary>Rows of this split of <see cref="Test"/> alone. Default: all.</summary>
    [StringLength(64)]
    public string? TestSplit { get; init; }

    /// <summary>The column of text in both. Default: <c>text</c>.</summary>
    [StringLength(256)]
    public string? Column { get; init; }

    /// <summary>Share of pieces from which two texts count as the same. Default: 0.8.</summary>
    [Range(0.5, 1)]
    public double? Threshold { get; init; }
}

/// <summary>A row of the test set that stands in the training set.</summary>
/// <param name="TestRow">Its number among the rows that were read of the test set.</param>
/// <param name="TrainRow">The number of the first such row of the training set.</param>
/// <param name="Text">Of the test row; long texts are cut.</param>
/// <param name="Why"><c>near_duplicate</c>, or <c>n_gram</c>: 13 words in a row stand in both.</param>
public sealed record LeakedRow(long TestRow, long TrainRow, string Text, string Why);

/// <summary>What a search for leaks found.</summary>
/// <param name="Clean">No row of the test set was found.</param>
/// <param name="Overlap">Rows of the test set that were found.</param>
/// <param name="Rows">The first thousand of them.</param>
public sealed record LeakageResult(bool Clean, long Overlap, long TestRows, long TrainRows, string Train, string Test, IReadOnlyList<LeakedRow> Rows);
