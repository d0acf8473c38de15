using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Sorting that keeps the order of equals and survives comparisons that raise or contradict each other.</summary>
internal static class Sorting
{
    public static List<T> Stable<T>(RenderRun run, IReadOnlyList<T> items, Func<T, T, int> compare)
    {
        run.MakeItems(2L * items.Count);
        T[] from = [.. items], to = new T[items.Count];
        for (var width = 1; width < items.Count; width *= 2)
        {
            for (var start = 0; start < items.Count; start += 2 * width)
            {
                Merge(from, to, start, Math.Min(start + width, items.Count), Math.Min(start + (2 * width), items.Count), compare);
            }

            (from, to) = (to, from);
        }

        return [.. from];
    }

    private static void Merge<T>(T[] from, T[] to, int start, int middle, int end, Func<T, T, int> compare)
    {
        var (left, right) = (start, middle);
        for (var at = start; at < end; at++)
        {
            to[at] = left < middle && (right >= end || compare(from[left], from[right]) <= 0) ? from[left++] : from[right++];
        }
    }
}
