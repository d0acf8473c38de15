namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>The fewest insertions, deletions and substitutions that turn one list into another.</summary>
internal static class EditDistance
{
    public static List<string> Words(string text) => PythonText.Split(text);

    public static List<string> Characters(string text) => PythonText.Characters(text);

    /// <param name="row">Named where the work becomes too much.</param>
    public static int Of(List<string> a, List<string> b, MetricWork work, int row)
    {
        work.Take((long)a.Count * b.Count, row);
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var (left, right) = (Numbers(a, numbers), Numbers(b, numbers));
        var above = new int[right.Length + 1];
        var here = new int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++)
        {
            above[j] = j;
        }

        for (var i = 1; i <= left.Length; i++)
        {
            here[0] = i;
            if (i % 256 == 0)
            {
                work.Take(0, row); // leaves when nobody waits
            }

            for (var j = 1; j <= right.Length; j++)
            {
                here[j] = Math.Min(Math.Min(above[j], here[j - 1]) + 1, above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
            }

            (above, here) = (here, above);
        }

        return above[right.Length];
    }

    private static int[] Numbers(List<string> items, Dictionary<string, int> numbers) =>
        [.. items.Select(item => numbers.TryGetValue(item, out var number) ? number : numbers[item] = numbers.Count)];
}
