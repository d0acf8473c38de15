using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>Takes rows through the steps of a request, and counts what each did.</summary>
internal sealed class PreparationRun : IDisposable
{
    private const int MaxExamples = 5;
    private const int MaxShown = 300;

    private readonly List<Step> _steps = [];

    /// <exception cref="LlmOsException">400: there is no such step, column or field; the field is named.</exception>
    public PreparationRun(IReadOnlyList<JsonElement> steps, RowSchema schema, StepPlace place)
    {
        foreach (var (index, json) in steps.Index())
        {
            var path = $"steps[{index}]";
            var fields = new StepFields(json, path);
            var kind = PreparationSteps.All.GetValueOrDefault(fields.Step)
                ?? throw fields.Wrong("step", $"there is no step '{Shown.Of(fields.Step)}'; expected one of {string.Join(", ", PreparationSteps.All.Keys)}.");
            var column = kind.TakesWholeRows ? -1 : FindColumn(fields, schema);
            var run = kind.Begin(fields, place with { Schema = schema });
            fields.RefuseUnknown();
            _steps.Add(column < 0 ? new Step(fields.Step, schema, run) : new Step(fields.Step, column, run));
            schema = run.Schema ?? schema;
        }

        Schema = schema;
    }

    /// <summary>The columns of the rows that are left.</summary>
    public RowSchema Schema { get; }

    public long RowsIn { get; private set; }

    public long RowsOut { get; private set; }

    /// <returns>The row that is left; null where a step dropped it.</returns>
    public PreparedRow? Take(Row row)
    {
        RowsIn++;
        var prepared = new PreparedRow(row.Number, row.Split, row.Values);
        foreach (var step in _steps)
        {
            if (!step.Take(prepared))
            {
                return null;
            }
        }

        RowsOut++;
        return prepared;
    }

    public void Dispose() => _steps.ForEach(s => s.Dispose());

    public IReadOnlyList<PreparationStepReport> Reports() => [.. _steps.Select(s => s.ToView())];

    private static int FindColumn(StepFields fields, RowSchema schema)
    {
        var column = schema.Find(fields.Column);
        if (column >= 0 && schema.Columns[column].Type == ColumnType.Text)
        {
            return column;
        }

        var texts = schema.Columns.Where(c => c.Type == ColumnType.Text).Select(c => Shown.Of(c.Name)).ToList();
        throw fields.Wrong("column", $"there is no column of text named '{Shown.Of(fields.Column)}'; there {(texts.Count == 0 ? "is none at all" : $"is {string.Join(", ", texts.Take(20))}")}.");
    }

    private sealed class Step(string word, int column, IStepRun run) : IDisposable
    {
        /// <summary>The columns of whole rows that come.</summary>
        private readonly RowSchema? _whole;

        private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);
        private readonly List<PreparationExample> _examples = [];
        private long _in, _changed, _dropped;

        public Step(string word, RowSchema whole, IStepRun run)
            : this(word, -1, run) => _whole = whole;

        public bool Take(PreparedRow row)
        {
            _in++;
            if (_whole is not null)
            {
                return TakeWhole(row, _whole);
            }

            row.Turn(column);
            var (before, split) = (row.Text, row.Split);
            if (before is null)
            {
                return true; // there is nothing to work on
            }

            if (run.Apply(row) is { } reason)
            {
                _dropped++;
                _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
                Show(row, before, null, reason);
                return false;
            }

            if (row.Split != split || !string.Equals(before, row.Text, StringComparison.Ordinal))
            {
                _changed++;
                Show(row, before, row.Text, row.Split != split ? row.Split : null);
            }

            return true;
        }

        public void Dispose() => (run as IDisposable)?.Dispose();

        public PreparationStepReport ToView() => new(word, _in, _in - _dropped, _changed, _dropped, _reasons, _examples);

        private bool TakeWhole(PreparedRow row, RowSchema columns)
        {
            var before = row.Values;
            var after = run.Schema ?? columns;
            if (run.Apply(row) is { } reason)
            {
                _dropped++;
                _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
                Show(row, Json(columns, before), null, row.Note ?? reason);
                return false;
            }

            if (!columns.Columns.SequenceEqual(after.Columns) || !before.SequenceEqual(row.Values))
            {
                _changed++;
                Show(row, Json(columns, before), Json(after, row.Values), null);
            }

            return true;
        }

        /// <summary>Written only while there is room for another example.</summary>
        private string Json(RowSchema columns, object?[] values) =>
            _examples.Count < MaxExamples ? Encoding.UTF8.GetString(RowPages.Json(columns, values).Span) : "";

        private void Show(PreparedRow row, string before, string? after, string? reason)
        {
            if (_examples.Count < MaxExamples)
            {
                _examples.Add(new PreparationExample(row.Number, Cut(before), after is null ? null : Cut(after), reason));
            }
        }

        /// <summary>A cut never leaves half of a character.</summary>
        private static string Cut(string text) =>
            text.Length <= MaxShown ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown), "...");
    }
}
