namespace LlmOs.Tools.Datasets.Rows;

/// <summary>What a row may be. A row is held in memory whole, so that these bound the memory of every import.</summary>
internal static class RowLimits
{
    /// <summary>Bytes of one row in its file.</summary>
    public const int MaxRowBytes = 8 << 20;

    /// <summary>Columns of a data set.</summary>
    public const int MaxColumns = 1_024;

    /// <summary>Characters of a column's name.</summary>
    public const int MaxName = 256;

    /// <summary>Splits of a data set.</summary>
    public const int MaxSplits = 16;
}
