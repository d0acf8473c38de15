using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary><c>exact_duplicates</c>: of rows with the same text the first stays, whatever split they are of.</summary>
internal sealed class ExactDuplicatesStep : IPreparationStep
{
    public string Word => "exact_duplicates";

    public IStepRun Begin(StepFields fields, StepPlace place) => new Run();

    /// <summary>16 bytes a text: two texts of a hundred million meet with a probability of 10^-23.</summary>
    private sealed class Run : IStepRun
    {
        private readonly HashSet<UInt128> _seen = [];

        public string? Apply(PreparedRow row) => _seen.Add(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(row.Text.AsSpan()))) ? null : "duplicate";
    }
}
