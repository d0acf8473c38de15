namespace LlmOs.Engine.Execution;

/// <summary>Some rows of a runner's last run, each [vocabulary]; valid until the next run.</summary>
/// <param name="rows">Which rows, by index.</param>
internal readonly ref struct RowLogits(IModelRunner runner, ReadOnlySpan<int> rows)
{
    private readonly ReadOnlySpan<int> _rows = rows;

    public int Count => _rows.Length;

    public ReadOnlySpan<float> this[int index] => runner.Logits(_rows[index]);
}
