namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>near_duplicates</c>: drops a text that shares at least <c>threshold</c> (default 0.8) of its pieces with one that was kept
/// before it. Pieces are the runs of five characters, without regard to capitals and white space; the share is Jaccard's.
/// </summary>
internal sealed class NearDuplicatesStep : IPreparationStep
{
    public const double Usual = 0.8;

    public string Word => "near_duplicates";

    public IStepRun Begin(StepFields fields, StepPlace place) => new Run(new NearIndex(fields.Number("threshold", 0.5, 1) ?? Usual, place));

    private sealed class Run(NearIndex index) : IStepRun, IDisposable
    {
        public void Dispose() => index.Dispose();

        public string? Apply(PreparedRow row) => index.FindOrAdd(row.Text!) >= 0 ? "near_duplicate" : null;
    }
}
