namespace LlmOs.Models.Zoo;

/// <summary>Element types of graph inputs and outputs, with ONNX's numbers.</summary>
internal enum OnnxType
{
    Float = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
}
