namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>
/// The edits of TER: insertions, deletions, substitutions, and shifts of whole phrases, which count one each. Shifts are
/// searched greedily, with the limits and the ranking of tercom as sacreBLEU has them.
/// </summary>
internal sealed class TerEdits(int[] reference, MetricWork work, int row)
{
    private const int MaxShiftLength = 10;
    private const int MaxShiftDistance = 50;
    private const int MaxCandidates = 1000;

    private int _candidates;

    public static int Count(List<string> prediction, List<string> reference, MetricWork work, int row)
    {
        if (reference.Count == 0)
        {
            return prediction.Count;
        }

        // Numbers that sort as the words do: the last of the ranking's rules compares words.
        var numbers = prediction.Concat(reference).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select((word, i) => (word, i)).ToDictionary(pair => pair.word, pair => pair.i, StringComparer.Ordinal);
        return new TerEdits([.. reference.Select(word => numbers[word])], work, row).Count([.. prediction.Select(word => numbers[word])]);
    }

    private int Count(int[] words)
    {
        var shifts = 0;
        while (true)
        {
            var best = BestShift(words);
            if (_candidates >= MaxCandidates || best is not { Gain: > 0 })
            {
                return shifts + Distance(words);
            }

            shifts++;
            words = best.Words;
        }
    }

    private Shift? BestShift(int[] words)
    {
        var (before, steps) = EditTrace.Of(words, reference, work, row);
        var alignment = new Alignment(steps, reference.Length);
        Shift? best = null;
        foreach (var (from, to, length) in SharedPhrases(words))
        {
            if (!alignment.IsWrong(from, to, length) || (from <= alignment.Place(to) && alignment.Place(to) < from + length))
            {
                continue; // nothing to gain, or it would land within itself
            }

            var last = -1;
            for (var offset = -1; offset < length && to + offset < reference.Length; offset++)
            {
                var target = to + offset == -1 ? 0 : alignment.Place(to + offset) + 1;
                if (target == last)
                {
                    continue;
                }

                last = target;
                var shifted = Move(words, from, length, target);
                var shift = new Shift(before - Distance(shifted), length, from, target, shifted);
                _candidates++;
                best = best is null || shift.IsBetterThan(best) ? shift : best;
            }

            if (_candidates >= MaxCandidates)
            {
                break;
            }
        }

        return best;
    }

    private int Distance(int[] words) => EditTrace.Of(words, reference, work, row).Distance;

    private IEnumerable<(int From, int To, int Length)> SharedPhrases(int[] words)
    {
        for (var from = 0; from < words.Length; from++)
        {
            for (var to = Math.Max(0, from - MaxShiftDistance); to < reference.Length && to <= from + MaxShiftDistance; to++)
            {
                for (var length = 1; length <= MaxShiftLength && from + length <= words.Length && to + length <= reference.Length && words[from + length - 1] == reference[to + length - 1]; length++)
                {
                    yield return (from, to, length);
                }
            }
        }
    }

    private static int[] Move(int[] words, int from, int length, int target)
    {
        var end = from + length;
        return target < from ? [.. words[..target], .. words[from..end], .. words[target..from], .. words[end..]]
            : target > end ? [.. words[..from], .. words[end..target], .. words[from..end], .. words[target..]]
            : [.. words[..from], .. words[end..Math.Min(length + target, words.Length)], .. words[from..end], .. words[Math.Min(length + target, words.Length)..]];
    }

    private sealed record Shift(int Gain, int Length, int From, int Target, int[] Words)
    {
        /// <summary>The larger gain, then the longer phrase, then the earlier place, then the earlier target.</summary>
        public bool IsBetterThan(Shift other) =>
            (Gain, Length, -From, -Target).CompareTo((other.Gain, other.Length, -other.From, -other.Target)) is var order
            && (order > 0 || (order == 0 && Words.AsSpan().SequenceCompareTo(other.Words) > 0));
    }

    /// <summary>Where each word of the reference lies in the prediction, and which words of both are wrong.</summary>
    private sealed class Alignment
    {
        private readonly int[] _places;
        private readonly List<int> _wrongWords = [0];
        private readonly List<int> _wrongReferences = [0];

        public Alignment(EditStep[] steps, int references)
        {
            _places = new int[references];
            var (word, place) = (-1, -1);
            foreach (var step in steps)
            {
                var wrong = step == EditStep.Keep ? 0 : 1;
                if (step != EditStep.Insert)
                {
                    word++;
                    _wrongWords.Add(_wrongWords[^1] + wrong);
                }

                if (step != EditStep.Delete)
                {
                    _places[++place] = word;
                    _wrongReferences.Add(_wrongReferences[^1] + wrong);
                }
            }
        }

        public int Place(int reference) => _places[reference];

        public bool IsWrong(int from, int to, int length) =>
            _wrongWords[from + length] > _wrongWords[from] && _wrongReferences[to + length] > _wrongReferences[to];
    }
}
