namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary><c>lower_case</c>: capitals become small letters, by the rules of no language in particular.</summary>
internal sealed class LowerCaseStep : IPreparationStep, IStepRun
{
    public string Word => "lower_case";

    public IStepRun Begin(StepFields fields, StepPlace place) => this;

    public string? Apply(PreparedRow row)
    {
        row.Text = row.Text!.ToLowerInvariant();
        return null;
    }
}
