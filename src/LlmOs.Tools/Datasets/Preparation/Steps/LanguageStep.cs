namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary><c>language</c>: keeps texts in the languages of <c>keep</c>, by their two letters. The reason of a drop is the language that was found.</summary>
internal sealed class LanguageStep : IPreparationStep
{
    public string Word => "language";

    public IStepRun Begin(StepFields fields, StepPlace place) =>
        new Run(fields.Texts("keep", [.. LanguageProfiles.Default.Languages]) ?? throw fields.Wrong("keep", "is required: a list of languages such as [\"en\"]."));

    private sealed class Run(IReadOnlyList<string> keep) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            var found = LanguageProfiles.Default.Find(row.Text!) ?? "unknown";
            return keep.Contains(found, StringComparer.Ordinal) ? null : found;
        }
    }
}
