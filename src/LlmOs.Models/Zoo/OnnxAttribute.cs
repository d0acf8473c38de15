namespace LlmOs.Models.Zoo;

/// <summary>An attribute of a node; exactly one of the values is set.</summary>
internal sealed record OnnxAttribute(string Name, long? Whole = null, float? Real = null, long[]? List = null, string? Word = null)
{
    public static implicit operator OnnxAttribute((string Name, long Value) pair) => new(pair.Name, Whole: pair.Value);

    public static implicit operator OnnxAttribute((string Name, float Value) pair) => new(pair.Name, Real: pair.Value);

    public static implicit operator OnnxAttribute((string Name, long[] Value) pair) => new(pair.Name, List: pair.Value);

    public static implicit operator OnnxAttribute((string Name, string Value) pair) => new(pair.Name, Word: pair.Value);

    public void Write(ProtoWriter attribute)
    {
        attribute.Text(1, Name);
        if (Real is { } real)
        {
            attribute.Float(2, real);
            attribute.Int(20, 1); // type: float
        }
        else if (Word is { } word)
        {
            attribute.Text(4, word);
            attribute.Int(20, 3); // type: string
        }
        else if (List is { } list)
        {
            foreach (var value in list)
            {
                attribute.Int(8, value);
            }

            attribute.Int(20, 7); // type: ints
        }
        else
        {
            attribute.Int(3, Whole!.Value);
            attribute.Int(20, 2); // type: int
        }
    }
}
