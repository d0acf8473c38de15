namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>quality</c>: published filters of web text, <c>rules</c>: <c>gopher</c> drops texts, <c>c4</c> drops lines and then what is left of a
/// text where it is too little. The reason of a drop is the rule's own name.
/// </summary>
internal sealed class QualityStep : IPreparationStep
{
    public string Word => "quality";

    public IStepRun Begin(StepFields fields, StepPlace place) => fields.Word("rules", "gopher", "c4") == "c4" ? new C4() : new Gopher();

    private sealed class Gopher : IStepRun
    {
        public string? Apply(PreparedRow row) => GopherRules.Fault(row.Text!);
    }

    private sealed class C4 : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            var (text, fault) = C4Rules.Apply(row.Text!);
            row.Text = fault is null ? text : row.Text;
            return fault;
        }
    }
}
