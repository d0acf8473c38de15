using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;
using LlmOs.Tools.Datasets.Shapes;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>rows</c>: converts rows for the kind of training that <c>to</c> names. <c>from</c> names their shape; without it the columns say it.
/// A row that does not fit is dropped, and its example names the field. Columns that the training does not read are left away.
/// </summary>
internal sealed class RowsStep : IPreparationStep
{
    private const int MaxWord = 32;

    public string Word => "rows";

    public bool TakesWholeRows => true;

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        fields.RefuseColumn();
        var to = Named(fields, "to", TrainingShapes.Kinds) ?? throw fields.Wrong("to", $"is required: one of {string.Join(", ", TrainingShapes.Kinds)}.");
        var from = Named(fields, "from", [.. TrainingShapes.All.Select(s => s.Word)]);
        return new Run(TrainingShapes.Choose(place.Schema, from, to, fields.Wrong), place.Schema);
    }

    private static string? Named(StepFields fields, string name, IReadOnlyList<string> words)
    {
        var word = fields.Text(name, null, MaxWord);
        return word is null || words.Contains(word, StringComparer.Ordinal) ? word : throw fields.Wrong(name, $"'{Shown.Of(word)}' is not one of {string.Join(", ", words)}.");
    }

    private sealed class Run(ITrainingShape shape, RowSchema columns) : IStepRun
    {
        public RowSchema Schema { get; } = shape.Target(columns);

        public string? Apply(PreparedRow row)
        {
            try
            {
                row.Values = shape.Convert(new ShapeRow(columns, row.Values));
                return null;
            }
            catch (ShapeException fault)
            {
                row.Note = $"{fault.Code}: {fault.Field} {fault.Message}";
                return fault.Code;
            }
        }
    }
}
