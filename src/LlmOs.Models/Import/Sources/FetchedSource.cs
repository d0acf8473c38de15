namespace LlmOs.Models.Import.Sources;

/// <summary>A source that lies on this machine, ready to be read.</summary>
/// <param name="Path">A folder, or one file.</param>
/// <param name="IsOurs">The files belong to the job alone: they may be moved into the store instead of copied.</param>
/// <param name="Origin">Where it came from, for the version's lineage; null for a path of this machine, which is not shown to others.</param>
internal sealed record FetchedSource(string Path, bool IsOurs, string? Origin);
