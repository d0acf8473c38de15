using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>split</c>: puts each row on a side, in the shares <c>train</c>, <c>validation</c> and <c>test</c>, which sum to 1. A row's side
/// follows from its text alone, and a row that is nearly the same as an earlier one goes where that one went: rows that are added
/// behind the others move none of them.
/// </summary>
internal sealed class SplitStep : IPreparationStep
{
    private static readonly string[] Sides = ["train", "validation", "test"];

    public string Word => "split";

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        List<(string Side, double Share)> shares = [.. Sides.Select(side => (side, fields.Number(side, 0, 1) ?? 0)).Where(s => s.Item2 > 0)];
        var threshold = fields.Number("threshold", 0.5, 1) ?? NearDuplicatesStep.Usual;
        var sum = shares.Sum(s => s.Share);
        return Math.Abs(sum - 1) < 1e-6
            ? new Run(shares, new NearIndex(threshold, place))
            : throw fields.Wrong(shares.Count > 0 ? shares[0].Side : Sides[0], FormattableString.Invariant($"the shares of {string.Join(", ", Sides)} sum to {sum:0.####}, not to 1."));
    }

    private sealed class Run(List<(string Side, double Share)> shares, NearIndex index) : IStepRun, IDisposable
    {
        private readonly List<byte> _sides = [];

        public string? Apply(PreparedRow row)
        {
            var near = index.FindOrAdd(row.Text!);
            var side = near >= 0 ? _sides[near] : SideOf(row.Text!);
            if (near < 0)
            {
                _sides.Add(side);
            }

            row.Split = shares[side].Side;
            return null;
        }

        public void Dispose() => index.Dispose();

        private byte SideOf(string text)
        {
            var at = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(Shingles.Plain(text).AsSpan())) / (double)ulong.MaxValue;
            byte side = 0;
            for (var end = shares[0].Share; side < shares.Count - 1 && at >= end; end += shares[side].Share)
            {
                side++;
            }

            return side;
        }
    }
}
