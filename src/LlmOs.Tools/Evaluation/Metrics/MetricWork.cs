using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>What one request may cost, counted in cells of alignment tables, and whether somebody still waits for it.</summary>
internal sealed class MetricWork(CancellationToken cancel, long cells = MetricWork.MaxCells)
{
    /// <summary>Some tens of seconds of one core.</summary>
    public const long MaxCells = 8_000_000_000;

    private long _left = cells;

    /// <summary>Call it before each table or row.</summary>
    /// <param name="row">Named where the bound is passed.</param>
    public void Take(long cells, int row)
    {
        cancel.ThrowIfCancellationRequested();
        _left -= cells;
        if (_left < 0)
        {
            throw TooLong(row);
        }
    }

    public static LlmOsException TooLong(int row) => new(ErrorCode.TooLarge, $"predictions[{row}]: with this row the texts become too long to align.")
    {
        Field = $"predictions[{row}]",
        Hint = "Send fewer rows, or shorter texts.",
    };
}
