using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>Compares the weights that a model needs with those that its files hold.</summary>
internal static class WeightMap
{
    /// <summary>Names listed in a message before it says how many more there are.</summary>
    private const int Listed = 8;

    /// <exception cref="ModelFormatException">Weights are missing, left over, of another shape or not in a floating type; all are counted, the first named.</exception>
    public static void Check(IReadOnlyList<TensorInfo> needed, IWeightSource found, Func<string, bool> mayBeLeftOver)
    {
        List<string> faults = [];
        var names = needed.Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        names.UnionWith(found.Aliases.Where(alias => names.Contains(alias.Key)).Select(alias => alias.Value).ToList());
        Note(faults, "missing", needed.Where(n => found.Find(n.Name) is null).Select(n => $"{n.Name} {n.ShapeText}"));
        Note(faults, "left over", found.Tensors.Where(t => !names.Contains(t.Name) && !mayBeLeftOver(t.Name)).Select(t => $"{t.Name} {t.ShapeText}"));
        Note(faults, "of another shape", needed
            .Where(n => found.Find(n.Name) is { } t && !t.Shape.SequenceEqual(n.Shape))
            .Select(n => $"{n.Name} is {found.Find(n.Name)!.ShapeText} instead of {n.ShapeText}"));
        if (faults.Count > 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The weights do not fit config.json: {string.Join("; ", faults)}.");
        }

        if (needed.Select(n => found.Find(n.Name)!).FirstOrDefault(t => !t.IsFloating) is { } wrong)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedFormat,
                $"Weight '{wrong.Name}' is stored as {wrong.Type}; weights are read from F32, F16 and BF16.");
        }
    }

    private static void Note(List<string> faults, string what, IEnumerable<string> names)
    {
        var all = names.ToList();
        if (all.Count > 0)
        {
            var more = all.Count > Listed ? $" and {all.Count - Listed} more" : "";
            faults.Add($"{all.Count} {what}: {string.Join(", ", all.Take(Listed))}{more}");
        }
    }
}
