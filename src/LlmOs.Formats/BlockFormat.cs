namespace LlmOs.Formats;

/// <summary>
/// Weights as small whole numbers in blocks of a row that share a scale, in the layout of ONNX Runtime's MatMulNBits:
/// a row has ceil(columns / block) blocks; codes are packed low nibble first; each is (code - zero point) * scale.
/// </summary>
/// <param name="Bits">4 or 8.</param>
/// <param name="BlockSize">Elements of a block: a power of two of at least 16.</param>
/// <param name="Symmetric">Whether every zero point is the middle code (8 or 128) and none is stored.</param>
public sealed record BlockFormat(int Bits, int BlockSize, bool Symmetric)
{
    public int MaxCode => (1 << Bits) - 1;

    /// <summary>The zero point of a symmetric block.</summary>
    public int MiddleCode => 1 << (Bits - 1);

    /// <summary>Bytes of a block's codes.</summary>
    public int CodeBytes => BlockSize * Bits / 8;

    public long BlocksOf(long columns) => (columns + BlockSize - 1) / BlockSize;

    /// <summary>Bytes of a row's packed zero points; 0 when symmetric.</summary>
    public long ZeroPointBytesOf(long columns) => Symmetric ? 0 : ((BlocksOf(columns) * Bits) + 7) / 8;

    /// <summary>Bytes of a matrix: codes, f32 scales, zero points.</summary>
    public long BytesOf(long rows, long columns) =>
        rows * ((BlocksOf(columns) * (CodeBytes + sizeof(float))) + ZeroPointBytesOf(columns));
}
