namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>One step on the way from a prediction to a reference.</summary>
internal enum EditStep
{
    None,
    Keep,
    Substitute,
    Insert,
    Delete,
}

/// <summary>
/// The edit distance within a band around the diagonal, with its steps. Band and order of preference are those of
/// tercom as sacreBLEU has it: they decide which shifts are tried.
/// </summary>
internal static class EditTrace
{
    private const int Band = 25;
    private const int Never = int.MaxValue / 2;

    public static (int Distance, EditStep[] Steps) Of(int[] prediction, int[] reference, MetricWork work, int row)
    {
        var (rows, columns) = (prediction.Length, reference.Length);
        var ratio = rows > 0 ? (double)columns / rows : 1;
        var band = Band < ratio / 2 ? (int)Math.Ceiling((ratio / 2) + Band) : Band;
        work.Take(((long)rows * Math.Min(2 * band, columns)) + 1, row);
        if ((rows + 1L) * (columns + 1L) > 1L << 26)
        {
            throw MetricWork.TooLong(row);
        }

        var cost = new int[rows + 1, columns + 1];
        var step = new EditStep[rows + 1, columns + 1];
        for (var j = 0; j <= columns; j++)
        {
            (cost[0, j], step[0, j]) = (j, EditStep.Insert);
        }

        for (var i = 1; i <= rows; i++)
        {
            for (var j = 0; j <= columns; j++)
            {
                cost[i, j] = Never;
            }

            var middle = (int)Math.Floor(i * ratio);
            var end = i == rows ? columns + 1 : Math.Min(columns + 1, middle + band);
            for (var j = Math.Max(0, middle - band); j < end; j++)
            {
                if (j == 0)
                {
                    (cost[i, 0], step[i, 0]) = (cost[i - 1, 0] + 1, EditStep.Delete);
                    continue;
                }

                var same = prediction[i - 1] == reference[j - 1];
                Offer(i, j, cost[i - 1, j - 1] + (same ? 0 : 1), same ? EditStep.Keep : EditStep.Substitute);
                Offer(i, j, cost[i - 1, j] + 1, EditStep.Delete);
                Offer(i, j, cost[i, j - 1] + 1, EditStep.Insert);
            }
        }

        List<EditStep> steps = [];
        for (var (i, j) = (rows, columns); i > 0 || j > 0;)
        {
            var taken = step[i, j];
            steps.Add(taken);
            i -= taken == EditStep.Insert ? 0 : 1;
            j -= taken == EditStep.Delete ? 0 : 1;
        }

        steps.Reverse();
        return (cost[rows, columns], [.. steps]);

        void Offer(int i, int j, int offered, EditStep by)
        {
            if (cost[i, j] > offered)
            {
                (cost[i, j], step[i, j]) = (offered, by);
            }
        }
    }
}
