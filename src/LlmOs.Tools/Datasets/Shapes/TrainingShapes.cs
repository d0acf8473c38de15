using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;
using LlmOs.Tools.Datasets.Shapes.Kinds;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>Every shape of rows for training, and which one a data set has.</summary>
internal static class TrainingShapes
{
    public static IReadOnlyList<ITrainingShape> All { get; } =
    [
        new ChatShape(),
        new ShareGptShape(),
        new AlpacaShape(),
        new CompletionShape(),
        new OpenAiPreferenceShape(),
        new ChosenRejectedShape(),
        new KtoShape(),
        new LabelledTextShape(),
        new TokenLabelShape(),
        new SentencePairShape(),
        new ParallelTextShape(),
        new PlainTextShape(),
    ];

    /// <summary>The kinds of training that there are rows for.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. All.SelectMany(s => s.Kinds).Distinct()];

    public static ITrainingShape? Find(string word) => All.FirstOrDefault(s => s.Word == word);

    /// <summary>The shape whose columns are all there; of several the one with the most columns, and of those the first.</summary>
    /// <returns>Null where the columns are those of no shape.</returns>
    public static ITrainingShape? Recognise(RowSchema schema) =>
        All.Where(s => s.Needs.All(name => schema.Find(name) >= 0)).MaxBy(s => s.Needs.Count);

    /// <summary>The shape of rows that are to train a model.</summary>
    /// <param name="fault">Makes a refusal of a field.</param>
    public static ITrainingShape Choose(RowSchema schema, string? from, string to, Func<string, string, LlmOsException> fault)
    {
        var shape = from is null ? Recognise(schema) : Find(from);
        var columns = string.Join(", ", schema.Columns.Take(20).Select(c => Shown.Of(c.Name)));
        if (shape is null)
        {
            throw fault("from", $"the columns {columns} are those of no shape that is known: {string.Join("; ", All.Select(s => $"{s.Word} ({string.Join(", ", s.Needs)})"))}.");
        }

        if (shape.Needs.FirstOrDefault(name => schema.Find(name) < 0) is { } missing)
        {
            throw fault("from", $"'{shape.Word}' needs a column '{missing}'; there are {columns}.");
        }

        return shape.Kinds.Contains(to)
            ? shape
            : throw fault("to", $"rows of the shape '{shape.Word}' are for {string.Join(", ", shape.Kinds)}, not for {to}.{(from is null ? " 'from' names another shape." : "")}");
    }
}
