using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>
/// Weights that may be one and the same: a head and the embedding, or the embeddings of an encoder and its decoder. Files hold one of
/// them or several; which of them a model uses is decided by what is stored, as transformers 5 does it: copies are one weight, other
/// values count, and what is not stored is the one that is.
/// </summary>
internal static class WeightTies
{
    private const int Compared = 1 << 20; // elements read at once

    /// <summary>A head that is the embedding where the configuration says so.</summary>
    public static Func<ModelConfig, IReadOnlyList<IReadOnlyList<string>>> Head(string embedding, string head) =>
        config => config.TiedEmbeddings ? [[embedding, head]] : [];

    /// <summary>Each name with the one under which its weight is read, where no files are known: the first of its group.</summary>
    public static IReadOnlyDictionary<string, string> Assumed(IReadOnlyList<IReadOnlyList<string>> groups) =>
        groups.SelectMany(group => group.Select(name => (name, First: group[0]))).ToDictionary(t => t.name, t => t.First, StringComparer.Ordinal);

    /// <summary>Each name with the one under which its weight is read, as the files have it.</summary>
    /// <param name="groups">Names of one weight, the one that is taken first of equal ones first.</param>
    public static IReadOnlyDictionary<string, string> Of(IReadOnlyList<IReadOnlyList<string>> groups, IWeightSource weights)
    {
        var ties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var group in groups)
        {
            var first = group.FirstOrDefault(name => weights.Find(name) is not null) ?? group[0];
            foreach (var name in group)
            {
                ties[name] = name != first && weights.Find(name) is not null && !AreEqual(weights, first, name) ? name : first;
            }
        }

        return ties;
    }

    private static bool AreEqual(IWeightSource weights, string one, string other)
    {
        var (a, b) = (weights.Find(one)!, weights.Find(other)!);
        if (!a.Shape.SequenceEqual(b.Shape) || !a.IsFloating || !b.IsFloating)
        {
            return false;
        }

        var (left, right) = (new float[Math.Min(Compared, a.Elements)], new float[Math.Min(Compared, a.Elements)]);
        for (long at = 0; at < a.Elements; at += left.Length)
        {
            var count = (int)Math.Min(left.Length, a.Elements - at);
            weights.Read(one, at, left.AsSpan(0, count));
            weights.Read(other, at, right.AsSpan(0, count));
            if (!left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count)))
            {
                return false;
            }
        }

        return true;
    }
}
