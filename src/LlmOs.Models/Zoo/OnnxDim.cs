namespace LlmOs.Models.Zoo;

/// <summary>A dimension: a number, or a name that stands for any.</summary>
internal readonly record struct OnnxDim(long? Size, string? Name)
{
    public static implicit operator OnnxDim(long size) => new(size, null);

    public static implicit operator OnnxDim(string name) => new(null, name);
}
