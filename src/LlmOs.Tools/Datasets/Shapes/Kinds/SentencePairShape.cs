using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes.Kinds;

/// <summary><c>sentence_pairs</c>: <c>anchor</c> and <c>positive</c>, and in all rows or in none a <c>negative</c>.</summary>
internal sealed class SentencePairShape : ITrainingShape
{
    private const string Negative = "negative";

    public string Word => "sentence_pairs";

    public IReadOnlyList<string> Kinds { get; } = ["embed"];

    public IReadOnlyList<string> Needs { get; } = ["anchor", "positive"];

    public RowSchema Target(RowSchema schema) => schema.Find(Negative) >= 0
        ? TrainingColumns.Of(TrainingColumns.Text("anchor"), TrainingColumns.Text("positive"), TrainingColumns.Text(Negative))
        : TrainingColumns.Of(TrainingColumns.Text("anchor"), TrainingColumns.Text("positive"));

    public object?[] Convert(ShapeRow row) => row.Has(Negative)
        ? [row.Text("anchor"), row.Text("positive"), row.Text(Negative)]
        : [row.Text("anchor"), row.Text("positive")];
}
