using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Testing;
using LlmOs.Tools.Datasets.Preparation;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Tests.Datasets.Shapes;

/// <summary>The step <c>rows</c> among other steps: columns, drops, refusals.</summary>
public sealed class RowsStepTests : IDisposable
{
    private static readonly RowSchema Kto = new([new("prompt", ColumnType.Text), new("completion", ColumnType.Text), new("label", ColumnType.Boolean)]);

    private static readonly RowSchema Labelled = new([new("label", ColumnType.Text), new("text", ColumnType.Text), new("n", ColumnType.Integer)]);

    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Steps_before_and_behind_work_on_the_columns_that_there_are()
    {
        using var run = Begin(Labelled, """{"step":"normalize"}""", """{"step":"rows","to":"classify"}""", """{"step":"lower_case"}""", """{"step":"lower_case","column":"label"}""");

        var row = run.Take(new Row(1, "train", ["Card", "Where  IS it?", 1L]))!;

        Assert.Equal(["text", "label"], run.Schema.Columns.Select(c => c.Name));
        Assert.Equal(["where is it?", "card"], row.Values);
        Assert.Equal((1, 1), (run.Reports()[1].Changed, run.Reports()[1].RowsOut));
        var example = run.Reports()[1].Examples.Single();
        Assert.Equal(("""{"label":"Card","text":"Where IS it?","n":1}""", """{"text":"Where IS it?","label":"Card"}"""), (example.Before, example.After));
    }

    [Fact]
    public void A_row_that_does_not_fit_is_dropped_and_its_example_names_the_field()
    {
        using var run = Begin(Kto, """{"step":"rows","to":"kto"}""");

        Assert.NotNull(run.Take(new Row(1, "train", ["Cold?", "Yes.", true])));
        Assert.Null(run.Take(new Row(2, "train", ["Cold?", null, true])));
        Assert.Null(run.Take(new Row(3, "train", ["Cold?", "Yes.", null])));
        Assert.Null(run.Take(new Row(4, "train", ["", "Yes.", false])));

        var report = run.Reports()[0];
        Assert.Equal((4, 1, 0, 3), (report.RowsIn, report.RowsOut, report.Changed, report.Dropped));
        Assert.Equal(new Dictionary<string, long> { ["empty"] = 1, ["missing"] = 2 }, report.Reasons);
        Assert.Equal([(2L, "missing: completion is missing."), (3L, "missing: label is missing."), (4L, "empty: prompt is empty.")], report.Examples.Select(e => (e.Row, e.Reason!)));
    }

    [Fact]
    public void From_takes_rows_for_another_shape_than_the_columns_tell()
    {
        using var run = Begin(Kto, """{"step":"rows","to":"sft","from":"completion"}""");

        var row = run.Take(new Row(1, "train", ["Cold?", "Yes.", true]))!;

        Assert.Equal(new RawJson("""[{"role":"user","content":"Cold?"},{"role":"assistant","content":"Yes."}]"""), Assert.Single(row.Values));
    }

    [Theory]
    [InlineData("""{"step":"rows"}""", "steps[0].to", "sft")]
    [InlineData("""{"step":"rows","to":"sleep"}""", "steps[0].to", "'sleep' is not one of")]
    [InlineData("""{"step":"rows","to":1}""", "steps[0].to", "expected a text")]
    [InlineData("""{"step":"rows","to":"sft"}""", "steps[0].to", "rows of the shape 'kto' are for kto, not for sft. 'from' names another shape.")]
    [InlineData("""{"step":"rows","to":"sft","from":"story"}""", "steps[0].from", "'story' is not one of")]
    [InlineData("""{"step":"rows","to":"sft","from":"alpaca"}""", "steps[0].from", "'alpaca' needs a column 'instruction'; there are prompt, completion, label.")]
    [InlineData("""{"step":"rows","to":"kto","column":"prompt"}""", "steps[0].column", "'rows' has no such field. It has: from, step, to.")]
    public void What_the_step_may_not_have_is_refused_by_field(string step, string field, string message)
    {
        var refusal = Assert.Throws<LlmOsException>(() => Begin(Kto, step));

        Assert.Equal((ErrorCode.InvalidRequest, field), (refusal.Code, refusal.Field));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_of_no_shape_are_refused_with_the_shapes_that_there_are()
    {
        var schema = new RowSchema([new("question", ColumnType.Text), new("n", ColumnType.Integer)]);

        var refusal = Assert.Throws<LlmOsException>(() => Begin(schema, """{"step":"rows","to":"sft"}"""));

        Assert.Equal("steps[0].from", refusal.Field);
        Assert.Contains("question, n", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("alpaca (instruction, output)", refusal.Message, StringComparison.Ordinal);
    }

    private PreparationRun Begin(RowSchema schema, params string[] steps) => new([.. steps.Select(Parse)], schema, new StepPlace(_temp.Path));

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
