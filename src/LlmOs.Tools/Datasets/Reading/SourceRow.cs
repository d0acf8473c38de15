namespace LlmOs.Tools.Datasets.Reading;

/// <summary>A row as its file has it.</summary>
/// <param name="Number">Counted from 1 within its file.</param>
internal sealed record SourceRow(long Number, IReadOnlyList<KeyValuePair<string, object?>> Fields);

/// <summary>A file of rows on this machine.</summary>
/// <param name="Name">As its source calls it; it never becomes a path.</param>
internal sealed record RowFile(string Path, string Name);

/// <summary>How the rows of a file are written.</summary>
/// <param name="Format">One of <see cref="SourceFormat.All"/>.</param>
/// <param name="Place">The file's name for messages; null where there is one file.</param>
/// <param name="IsWindows">Windows-1252 instead of UTF-8.</param>
/// <param name="Delimiter">Of a CSV; null: found out.</param>
internal sealed record ReadPlan(string Format, string? Place, bool IsWindows, byte? Delimiter, bool HasHeader);
