namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>What prediction and reference share: precision, recall and their F-score.</summary>
internal readonly record struct RougeShares(double Precision, double Recall)
{
    public double FScore => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    public static RougeShares Of(int same, int prediction, int reference) =>
        new(prediction == 0 ? 0 : (double)same / prediction, reference == 0 ? 0 : (double)same / reference);
}

/// <summary>Compares a prediction with a reference, both by lines of words.</summary>
internal delegate RougeShares RougeKind(List<string>[] prediction, List<string>[] reference, MetricWork work, int row);

/// <summary>The kinds of ROUGE, as the package rouge_score computes them.</summary>
internal static class RougeKinds
{
    /// <summary>Runs of <paramref name="n"/> words.</summary>
    public static RougeKind Grams(int n) => (prediction, reference, _, _) =>
    {
        var (own, right) = (WordGrams.CountOf([.. prediction.SelectMany(line => line)], n), WordGrams.CountOf([.. reference.SelectMany(line => line)], n));
        return RougeShares.Of(WordGrams.Shared(own, right), own.Values.Sum(), right.Values.Sum());
    };

    /// <summary>The longest common subsequence of the whole texts.</summary>
    public static RougeShares Longest(List<string>[] prediction, List<string>[] reference, MetricWork work, int row)
    {
        List<string> own = [.. prediction.SelectMany(line => line)], right = [.. reference.SelectMany(line => line)];
        return RougeShares.Of(Common(right, own, work, row).Count, own.Count, right.Count);
    }

    /// <summary>For each line of the reference the union of what it has in common with each line of the prediction; no word counts twice.</summary>
    public static RougeShares LongestOfLines(List<string>[] prediction, List<string>[] reference, MetricWork work, int row)
    {
        Dictionary<string, int> own = WordGrams.CountOf([.. prediction.SelectMany(line => line)], 1), right = WordGrams.CountOf([.. reference.SelectMany(line => line)], 1);
        var same = 0;
        foreach (var line in reference)
        {
            foreach (var at in prediction.SelectMany(other => Common(line, other, work, row)).Distinct().Order())
            {
                var word = line[at];
                if (own.GetValueOrDefault(word) > 0 && right.GetValueOrDefault(word) > 0)
                {
                    same++;
                    own[word]--;
                    right[word]--;
                }
            }
        }

        return RougeShares.Of(same, prediction.Sum(line => line.Count), reference.Sum(line => line.Count));
    }

    /// <summary>Where in <paramref name="a"/> a longest common subsequence lies, last place first.</summary>
    private static List<int> Common(List<string> a, List<string> b, MetricWork work, int row)
    {
        work.Take((long)a.Count * b.Count, row);
        if ((a.Count + 1L) * (b.Count + 1L) > MaxTable)
        {
            throw MetricWork.TooLong(row);
        }

        var length = new int[a.Count + 1, b.Count + 1];
        for (var i = 1; i <= a.Count; i++)
        {
            for (var j = 1; j <= b.Count; j++)
            {
                length[i, j] = a[i - 1] == b[j - 1] ? length[i - 1, j - 1] + 1 : Math.Max(length[i - 1, j], length[i, j - 1]);
            }
        }

        List<int> places = [];
        for (var (i, j) = (a.Count, b.Count); i > 0 && j > 0;)
        {
            if (a[i - 1] == b[j - 1])
            {
                places.Add(--i);
                j--;
            }
            else if (length[i, j - 1] > length[i - 1, j])
            {
                j--;
            }
            else
            {
                i--;
            }
        }

        return places;
    }

    /// <summary>Cells of one table: a quarter of a gigabyte.</summary>
    private const long MaxTable = 1L << 26;
}
