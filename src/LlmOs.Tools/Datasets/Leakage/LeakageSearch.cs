using System.IO.Hashing;
using System.Runtime.InteropServices;
using LlmOs.Contracts;
using LlmOs.Tools.Datasets.Preparation;

namespace LlmOs.Tools.Datasets.Leakage;

/// <summary>
/// Finds the texts of a test set in a training set: texts that are nearly the same, and texts of which 13 words in a row stand in
/// both (Brown et al. 2020, appendix C). First every test text, then every training text.
/// </summary>
internal sealed class LeakageSearch(double threshold, StepPlace place) : IDisposable
{
    private const int Words = 13;
    private const int MaxRows = 1_000;
    private const int MaxShown = 300;

    private readonly NearIndex _near = new(threshold, place);
    private readonly Dictionary<ulong, List<int>> _runs = [];
    private readonly List<(long Row, string Shown)> _tests = [];
    private readonly SortedDictionary<int, (long Row, string Why)> _found = [];

    public long TrainRows { get; private set; }

    public void AddTest(long row, string text)
    {
        _near.Add(text);
        foreach (var run in Runs(text).Distinct())
        {
            if (!_runs.TryGetValue(run, out var tests))
            {
                _runs[run] = tests = [];
            }

            tests.Add(_tests.Count);
        }

        _tests.Add((row, text.Length <= MaxShown ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown), "...")));
    }

    public void LookAtTrain(long row, string text)
    {
        TrainRows++;
        foreach (var test in _near.FindAll(text))
        {
            _found.TryAdd(test, (row, "near_duplicate"));
        }

        foreach (var run in Runs(text))
        {
            foreach (var test in _runs.GetValueOrDefault(run) ?? [])
            {
                _found.TryAdd(test, (row, "n_gram"));
            }
        }
    }

    public LeakageResult Result(string train, string test) => new(
        _found.Count == 0,
        _found.Count,
        _tests.Count,
        TrainRows,
        train,
        test,
        [.. _found.Take(MaxRows).Select(f => new LeakedRow(_tests[f.Key].Row, f.Value.Row, _tests[f.Key].Shown, f.Value.Why))]);

    public void Dispose() => _near.Dispose();

    /// <summary>Hashes of each 13 words in a row; capitals and what is no letter or digit do not count.</summary>
    private static IEnumerable<ulong> Runs(string text)
    {
        var words = new string([.. text.Select(c => char.IsLetterOrDigit(c) || char.IsSurrogate(c) ? char.ToLowerInvariant(c) : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var at = 0; at + Words <= words.Length; at++)
        {
            yield return XxHash3.HashToUInt64(MemoryMarshal.AsBytes(string.Join(' ', words, at, Words).AsSpan()));
        }
    }
}
