using System.Globalization;
using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>BLEU as sacreBLEU computes it: of the corpus, or the mean of its sentences.</summary>
internal sealed class Bleu(string name, bool sentences) : IMetric
{
    private static readonly Dictionary<string, string> NoTokenizer = new(StringComparer.Ordinal)
    {
        ["ja-mecab"] = "needs a library that is not here;",
        ["ko-mecab"] = "needs a library that is not here;",
        ["flores101"] = "needs a model that is not here;",
        ["flores200"] = "needs a model that is not here;",
        ["spm"] = "needs a model that is not here;",
        ["spBLEU-1K"] = "needs a model that is not here;",
    };

    public string Name => name;

    public string Summary => sentences
        ? "The mean of the BLEU of each sentence, 0 to 100, as sacreBLEU computes it."
        : "BLEU of all rows as one corpus, 0 to 100, as sacreBLEU computes it; each row's own is with effective order.";

    public double Scale => 100;

    public MetricScorer Prepare(MetricOptions options)
    {
        var tokenize = options.Choice("tokenize", "13a", BleuTokenizers.All, NoTokenizer);
        var method = options.Choice("smooth_method", "exp", BleuScore.Methods);
        var value = options.Number("smooth_value", null, 0, 1000) ?? BleuScore.StandardValue(method);
        var lowercase = options.Flag("lowercase", false);
        var order = options.Whole("max_order", 4, 1, 16);
        var effective = options.Flag("effective_order", sentences);
        options.Flag("force", false); // sacreBLEU leaves out a warning for it; there is none here
        var smooth = new BleuSmoothing(method, value);

        return (rows, work) =>
        {
            string Tokens(string text) => tokenize.Apply(PythonText.TrimEnd(lowercase ? PythonText.Lower(text) : text));
            var sum = new BleuCounts(order);
            var scores = new double?[rows.Count];
            for (var i = 0; i < rows.Count; i++)
            {
                work.Take(0, i);
                var counts = BleuCounts.Of(Tokens(rows[i].Prediction), rows[i].References.Select(Tokens), order);
                scores[i] = BleuScore.Of(counts, smooth, sentences ? effective : true).Score;
                sum.Add(counts);
            }

            var corpus = BleuScore.Of(sum, smooth, effective);
            return new MetricScore(sentences ? scores.Average() : corpus.Score, scores)
            {
                Signature = SacreBleu.Signature(rows, ("case", lowercase ? "lc" : "mixed"), ("eff", effective ? "yes" : "no"), ("tok", tokenize.Name), ("smooth", smooth.ToString())),
                Details = new Dictionary<string, JsonElement>
                {
                    ["bp"] = MetricDetail.Of(corpus.BrevityPenalty),
                    ["sys_len"] = MetricDetail.Of(sum.Length),
                    ["ref_len"] = MetricDetail.Of(sum.ReferenceLength),
                    ["counts"] = MetricDetail.Of(corpus.Right),
                    ["totals"] = MetricDetail.Of(corpus.Total),
                    ["precisions"] = MetricDetail.Of(corpus.Precisions),
                },
            };
        };
    }
}

/// <summary>How a count of zero is kept from making the whole score zero.</summary>
internal sealed record BleuSmoothing(string Method, double Value)
{
    public override string ToString() => Method is "floor" or "add-k" ? string.Create(CultureInfo.InvariantCulture, $"{Method}[{Value:0.00}]") : Method;
}

/// <summary>The grams of predictions that stand in a reference, and all of them, by order.</summary>
internal sealed class BleuCounts(int order)
{
    public long[] Right { get; } = new long[order];

    public long[] Total { get; } = new long[order];

    public long Length { get; private set; }

    public long ReferenceLength { get; private set; }

    public static BleuCounts Of(string prediction, IEnumerable<string> references, int order)
    {
        var words = PythonText.Split(prediction);
        var counts = new BleuCounts(order) { Length = words.Count };
        var max = Enumerable.Range(0, order).Select(_ => new Dictionary<string, int>(StringComparer.Ordinal)).ToArray();
        List<int> lengths = [];
        foreach (var reference in references)
        {
            var right = PythonText.Split(reference);
            lengths.Add(right.Count);
            var grams = WordGrams.Count(right, order);
            for (var n = 0; n < order; n++)
            {
                foreach (var (gram, count) in grams[n])
                {
                    max[n][gram] = Math.Max(count, max[n].GetValueOrDefault(gram));
                }
            }
        }

        // The nearest length counts; of two as near the shorter.
        counts.ReferenceLength = lengths.OrderBy(length => Math.Abs(length - words.Count)).ThenBy(length => length).First();
        var own = WordGrams.Count(words, order);
        for (var n = 0; n < order; n++)
        {
            counts.Right[n] = WordGrams.Shared(own[n], max[n]);
            counts.Total[n] = Math.Max(0, words.Count - n);
        }

        return counts;
    }

    public void Add(BleuCounts other)
    {
        for (var n = 0; n < order; n++)
        {
            Right[n] += other.Right[n];
            Total[n] += other.Total[n];
        }

        Length += other.Length;
        ReferenceLength += other.ReferenceLength;
    }
}
