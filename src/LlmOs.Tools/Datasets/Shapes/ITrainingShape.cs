using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>
/// A shape in which rows for training are published. It is a class of its own, and a line in <see cref="TrainingShapes"/>. What it
/// converts rows to is a shape as well, and stays as it is when it is converted again.
/// </summary>
internal interface ITrainingShape
{
    /// <summary>What <c>from</c> says; never changes, since it is stored with versions.</summary>
    string Word { get; }

    /// <summary>The kinds of training that take the converted rows, as <c>kind</c> of <c>/api/v1/training</c> names them.</summary>
    IReadOnlyList<string> Kinds { get; }

    /// <summary>The columns that rows of this shape have.</summary>
    IReadOnlyList<string> Needs { get; }

    /// <summary>The columns after the conversion.</summary>
    RowSchema Target(RowSchema schema);

    /// <summary>Checks a row, and converts it.</summary>
    /// <returns>The values in the order of <see cref="Target"/>.</returns>
    /// <exception cref="ShapeException">The row does not fit.</exception>
    object?[] Convert(ShapeRow row);
}
