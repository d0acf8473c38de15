namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>chrF and chrF++ as sacreBLEU computes them: F-score of the grams of characters, and of words.</summary>
internal sealed class Chrf(string name, int wordOrder) : IMetric
{
    /// <summary>What a share that is not defined counts when every order counts.</summary>
    private const double Tiny = 1e-16;

    public string Name => name;

    public string Summary => wordOrder == 0
        ? "The F-score of runs of 1 to 6 characters, 0 to 100, as sacreBLEU computes it."
        : "The F-score of runs of 1 to 6 characters and of 1 to 2 words, 0 to 100, as sacreBLEU computes it.";

    public double Scale => 100;

    public MetricScorer Prepare(MetricOptions options)
    {
        var characters = options.Whole("char_order", 6, 0, 16);
        var words = options.Whole("word_order", wordOrder, 0, 16);
        var beta = options.Whole("beta", 2, 1, 100);
        var lowercase = options.Flag("lowercase", false);
        var whitespace = options.Flag("whitespace", false);
        var everyOrder = options.Flag("eps_smoothing", false);
        if (characters + words == 0)
        {
            throw MetricOptions.Wrong("char_order", "char_order and word_order are both 0; nothing would be counted.");
        }

        double Score(long[] counts) => FScore(counts, beta * beta, everyOrder);
        Dictionary<string, int>[] Grams(string text) => GramsOf(lowercase ? PythonText.Lower(text) : text, characters, words, whitespace);
        return (rows, work) =>
        {
            var sum = new long[3 * (characters + words)];
            var scores = new double?[rows.Count];
            for (var i = 0; i < rows.Count; i++)
            {
                work.Take(0, i);
                var own = Grams(rows[i].Prediction);
                var (best, bestScore) = (Array.Empty<long>(), -1.0);
                foreach (var reference in rows[i].References)
                {
                    var counts = CountsOf(own, Grams(reference));
                    var score = Score(counts);
                    (best, bestScore) = score > bestScore ? (counts, score) : (best, bestScore);
                }

                scores[i] = bestScore;
                for (var k = 0; k < sum.Length; k++)
                {
                    sum[k] += best[k];
                }
            }

            return new MetricScore(Score(sum), scores)
            {
                Signature = SacreBleu.Signature(
                    rows, ("case", lowercase ? "lc" : "mixed"), ("eff", everyOrder ? "no" : "yes"), ("nc", $"{characters}"), ("nw", $"{words}"), ("space", whitespace ? "yes" : "no")),
            };
        };
    }

    /// <summary>For each order: grams of the prediction, of the reference, of both.</summary>
    private static long[] CountsOf(Dictionary<string, int>[] own, Dictionary<string, int>[] reference) => [.. own.Zip(reference).SelectMany(pair => new long[]
    {
        pair.Second.Count == 0 ? 0 : pair.First.Values.Sum(),
        pair.Second.Values.Sum(),
        WordGrams.Shared(pair.First, pair.Second),
    })];

    private static double FScore(long[] counts, double factor, bool everyOrder)
    {
        var (sum, precisions, recalls, orders) = (0.0, 0.0, 0.0, 0);
        for (var k = 0; k < counts.Length; k += 3)
        {
            var (own, reference, same) = (counts[k], counts[k + 1], counts[k + 2]);
            var precision = own > 0 ? (double)same / own : Tiny;
            var recall = reference > 0 ? (double)same / reference : Tiny;
            var below = (factor * precision) + recall;
            sum += below > 0 ? (1 + factor) * precision * recall / below : Tiny;
            if (own > 0 && reference > 0)
            {
                precisions += precision;
                recalls += recall;
                orders++;
            }
        }

        if (everyOrder)
        {
            return 100 * sum / (counts.Length / 3);
        }

        if (orders == 0 || precisions + recalls == 0)
        {
            return 0;
        }

        var (p, r) = (precisions / orders, recalls / orders);
        return 100 * (1 + factor) * p * r / ((factor * p) + r);
    }

    private static Dictionary<string, int>[] GramsOf(string text, int characters, int words, bool whitespace)
    {
        var runes = PythonText.Characters(whitespace ? text : string.Concat(PythonText.Split(text)));
        var pieces = words == 0 ? [] : PythonText.Split(text).SelectMany(ApartFromPunctuation).ToList();
        return [.. Enumerable.Range(1, characters).Select(n => CharacterGrams(runes, n)), .. WordGrams.Count(pieces, words)];
    }

    private static Dictionary<string, int> CharacterGrams(List<string> runes, int n)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i + n <= runes.Count; i++)
        {
            WordGrams.Add(counts, n == 1 ? runes[i] : string.Concat(Enumerable.Range(i, n).Select(at => runes[at])));
        }

        return counts;
    }

    /// <summary>One sign of ASCII punctuation at the end of a word stands alone, else one at its beginning.</summary>
    private static string[] ApartFromPunctuation(string word) =>
        word.Length == 1 ? [word]
        : PythonText.IsPunctuation(word[^1]) ? [word[..^1], word[^1..]]
        : PythonText.IsPunctuation(word[0]) ? [word[..1], word[1..]]
        : [word];
}
