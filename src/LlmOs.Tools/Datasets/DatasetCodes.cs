using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Datasets;

/// <summary>What jobs of data sets say.</summary>
internal static class DatasetCodes
{
    public static readonly JobCode Unpacking = new("unpacking_rows", "unpacking the archive");
    public static readonly JobCode ReadingRows = new("reading_rows", "reading {file}: {rows} rows");
    public static readonly JobCode WritingRows = new("writing_rows", "writing rows: {row} of {rows}");
    public static readonly JobCode Preparing = new("preparing_rows", "preparing rows: {row} of {rows}");
    public static readonly JobCode Comparing = new("comparing_rows", "comparing rows: {row} of {rows}");
}
