namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>
/// GLEU (arXiv 1609.08144, section 4.3) as NLTK computes it: the grams of 1 to 4 words that prediction and reference share,
/// over those of the one that has more; of a corpus all over all.
/// </summary>
internal sealed class Gleu : IMetric
{
    public string Name => "gleu";

    public string Summary => "The runs of 1 to 4 words that prediction and reference share, over those of the one that has more; the best reference of a row counts.";

    public MetricScorer Prepare(MetricOptions options)
    {
        var shortest = options.Whole("min_len", 1, 1, 16);
        var longest = options.Whole("max_len", 4, 1, 16);
        if (longest < shortest)
        {
            throw MetricOptions.Wrong("max_len", $"{longest} is below min_len, {shortest}.");
        }

        return (rows, work) =>
        {
            var (same, all) = (0L, 0L);
            var scores = new double?[rows.Count];
            for (var i = 0; i < rows.Count; i++)
            {
                work.Take(0, i);
                var own = Grams(rows[i].Prediction, shortest, longest);
                var best = rows[i].References.Select(reference => Overlap(own, Grams(reference, shortest, longest))).MaxBy(Share);
                scores[i] = Share(best);
                same += best.Same;
                all += best.All;
            }

            return new MetricScore(Share((same, all)), scores);
        };
    }

    private static Dictionary<string, int>[] Grams(string text, int shortest, int longest)
    {
        var words = PythonText.Split(text);
        return [.. Enumerable.Range(shortest, longest - shortest + 1).Select(n => WordGrams.CountOf(words, n))];
    }

    private static (long Same, long All) Overlap(Dictionary<string, int>[] own, Dictionary<string, int>[] reference) => (
        own.Zip(reference).Sum(pair => WordGrams.Shared(pair.First, pair.Second)),
        Math.Max(own.Sum(grams => grams.Values.Sum()), reference.Sum(grams => grams.Values.Sum())));

    private static double Share((long Same, long All) overlap) => overlap.All == 0 ? 0 : (double)overlap.Same / overlap.All;
}
