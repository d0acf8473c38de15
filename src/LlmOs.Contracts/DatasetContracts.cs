using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>Asks for a job that makes a version of a data set out of files. What is null takes the default that is stated.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DatasetImportRequest
{
    /// <summary>The data set. Its own route has it in the path; <c>POST /api/v1/jobs</c> takes it here.</summary>
    [StringLength(64)]
    public string? Dataset { get; init; }

    /// <summary><c>file:/path</c> beneath one of <c>LLMOS_IMPORT_DIRS</c>, <c>upload:id</c>, <c>https:...</c>, or <c>hf:org/name[@revision][#file]</c>.</summary>
    [StringLength(4096, MinimumLength = 1)]
    public required string Source { get; init; }

    /// <summary><c>jsonl</c>, <c>json</c> (a list of objects), <c>csv</c>, <c>tsv</c>, <c>parquet</c>, <c>text</c> or <c>conll</c>. Default: what the file's name ends in.</summary>
    [StringLength(32)]
    public string? Format { get; init; }

    /// <summary>The licence of the rows, such as <c>CC-BY-4.0</c>.</summary>
    [StringLength(128)]
    public string? License { get; init; }

    /// <summary>How text is written: <c>utf-8</c> (default) or <c>windows-1252</c>.</summary>
    [StringLength(32)]
    public string? Encoding { get; init; }

    /// <summary>One character between the cells of a CSV. Default: the one of <c>, ; | tab</c> that the first line has most of.</summary>
    [StringLength(1, MinimumLength = 1)]
    public string? Delimiter { get; init; }

    /// <summary>Whether the first line of a CSV names the columns. Default: true; else they are <c>column1</c>, <c>column2</c>, ...</summary>
    public bool? Header { get; init; }
}

/// <summary>A column of a data set.</summary>
/// <param name="Type"><c>text</c>, <c>integer</c>, <c>number</c>, <c>boolean</c>, or <c>json</c>: lists, objects, and values of several types.</param>
public sealed record DatasetColumn(string Name, string Type);

/// <summary>The result of a job that made a version of a data set.</summary>
/// <param name="Splits">Rows by split.</param>
/// <param name="Sha256">Of rows and splits alone: equal for equal rows, whatever file they came from.</param>
public sealed record DatasetJobResult(
    string Dataset, int Version, string Ref, long Rows, IReadOnlyList<DatasetColumn> Columns, IReadOnlyDictionary<string, long> Splits, string Sha256);

/// <summary>What a version was made of.</summary>
/// <param name="Parent">The version that it was prepared from, as <c>name:3</c>.</param>
/// <param name="Source">Where its files came from; null for files of the server's own machine.</param>
/// <param name="Job">The job that made it.</param>
/// <param name="Steps">The steps of its preparation, as they were asked for.</param>
public sealed record DatasetLineage(string? Parent, string? Source, string? Job, JsonElement? Steps);

/// <summary>A file of a version: the rows of one split, as Parquet.</summary>
public sealed record DatasetFileView(string Split, string Sha256, long Bytes, long Rows);

/// <summary>A version of a data set. It never changes.</summary>
/// <param name="Splits">Rows by split.</param>
/// <param name="Sha256">Of rows and splits alone.</param>
public sealed record DatasetVersionView(
    string Dataset,
    int Version,
    string Ref,
    long Rows,
    IReadOnlyList<DatasetColumn> Columns,
    IReadOnlyDictionary<string, long> Splits,
    string Sha256,
    long Bytes,
    string? License,
    DatasetLineage Lineage,
    IReadOnlyList<DatasetFileView> Files,
    DateTimeOffset CreatedAt);

/// <summary>A data set.</summary>
/// <param name="Versions">The numbers of its versions, the lowest first.</param>
/// <param name="Rows">Of its newest version.</param>
/// <param name="Bytes">Of its newest version.</param>
public sealed record DatasetView(
    string Name, IReadOnlyList<int> Versions, long Rows, long Bytes, string? License, DateTimeOffset CreatedAt, DateTimeOffset? ArchivedAt);

/// <summary>Changes a data set; what is null stays.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DatasetPatch
{
    /// <summary>True takes it out of use: it gets no further version and is left out of lists.</summary>
    public bool? Archived { get; init; }
}

/// <summary>How often a value stands in a column.</summary>
public sealed record DatasetValueCount(string Value, long Rows);

/// <summary>What is known of a column. Lengths are those of the text in characters; null where there is none.</summary>
/// <param name="Nulls">Rows without a value.</param>
/// <param name="Distinct">Different values; estimated where <paramref name="DistinctIsExact"/> is false.</param>
/// <param name="Lengths">Rows by length: the first counts empty texts, each further one those of fewer than 2, 4, 8, ... characters.</param>
/// <param name="Values">The values by how often they stand, where there are few of them; else null.</param>
public sealed record DatasetColumnStatistics(
    string Name,
    string Type,
    long Nulls,
    long Distinct,
    bool DistinctIsExact,
    long? MinLength,
    long? MaxLength,
    double? MeanLength,
    double? Min,
    double? Max,
    double? Mean,
    IReadOnlyList<long>? Lengths,
    IReadOnlyList<DatasetValueCount>? Values);

/// <summary>What is known of the rows of a version.</summary>
public sealed record DatasetStatistics(long Rows, IReadOnlyList<DatasetColumnStatistics> Columns);

/// <summary>A row that does not fit the shape of its data set.</summary>
/// <param name="Row">Its number, from 1.</param>
/// <param name="Field">Where the fault is, such as <c>messages[1].role</c>.</param>
/// <param name="Code"><c>missing</c>, <c>wrong_type</c>, <c>empty</c>, <c>unknown_role</c>, <c>bad_order</c>, <c>wrong_length</c> or <c>equal</c>.</param>
public sealed record DatasetRowFault(long Row, string Field, string Code, string Message);

/// <summary>What the rows of a version are for training.</summary>
/// <param name="Ref">The version.</param>
/// <param name="Shape">Such as <c>alpaca</c>; null where the columns are those of no shape that is known.</param>
/// <param name="Kinds">The kinds of training that the step <c>rows</c> converts them for.</param>
/// <param name="Columns">The columns after that step.</param>
/// <param name="RowsChecked">Rows that were read for this answer.</param>
/// <param name="FaultCount">Those of them that do not fit.</param>
/// <param name="Faults">The first hundred.</param>
public sealed record DatasetShape(
    string Ref,
    string? Shape,
    IReadOnlyList<string> Kinds,
    IReadOnlyList<DatasetColumn> Columns,
    long Rows,
    long RowsChecked,
    long FaultCount,
    IReadOnlyList<DatasetRowFault> Faults);
