namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>A row does not fit its shape.</summary>
/// <param name="code">The kind of fault, one of <see cref="ShapeFaults"/>.</param>
/// <param name="field">Where it is, such as <c>messages[1].role</c>.</param>
internal sealed class ShapeException(string code, string field, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string Field { get; } = field;
}

/// <summary>The kinds of faults; preparations count dropped rows by them.</summary>
internal static class ShapeFaults
{
    public const string Missing = "missing";
    public const string WrongType = "wrong_type";
    public const string Empty = "empty";
    public const string UnknownRole = "unknown_role";
    public const string BadOrder = "bad_order";
    public const string WrongLength = "wrong_length";
    public const string Equal = "equal";
}
