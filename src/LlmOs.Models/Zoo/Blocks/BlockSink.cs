using System.Buffers;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// Rounds a matrix to blocks on its way into the weight file: codes are written as they are made, scales and zero points
/// (an eighth of the codes or less) are kept until the matrix ends. Blocks that were blocks before come through without loss.
/// </summary>
/// <param name="format">Whose block size divides the columns.</param>
/// <param name="blocks">Of the whole matrix.</param>
/// <param name="withMinima">
/// Whether every block is to be code * scale + minimum exactly; where one is not, <see cref="IsOpen"/> turns false and the rest is ignored.
/// </param>
internal sealed class BlockSink(WeightFile file, BlockFormat format, int blocks, bool withMinima) : IFloatSink, IDisposable
{
    /// <summary>Blocks that one thread rounds at a time.</summary>
    private const int BlocksAtOnce = 2048;

    /// <summary>Blocks that are rounded before their codes are written.</summary>
    private const int BlocksHeld = 8 * BlocksAtOnce;

    // Rented: a graph has hundreds of matrices, and new arrays of this size would each be cleared and collected.
    private readonly float[] _scales = ArrayPool<float>.Shared.Rent(blocks);
    private readonly byte[] _zeros = ArrayPool<byte>.Shared.Rent(blocks);
    private readonly float[] _minima = withMinima ? ArrayPool<float>.Shared.Rent(blocks) : [];
    private readonly float[] _values = ArrayPool<float>.Shared.Rent(BlocksHeld * format.BlockSize);
    private readonly byte[] _codes = ArrayPool<byte>.Shared.Rent(BlocksHeld * format.CodeBytes);
    private int _count; // values that wait for the rest of their block, then those of a write
    private int _done; // blocks that are written

    /// <summary>False once a block was not what <c>withMinima</c> wants.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>[blocks]</summary>
    public ReadOnlySpan<float> Scales => _scales.AsSpan(0, _done);

    /// <summary>[blocks], of matrices with minima.</summary>
    public ReadOnlySpan<float> Minima => _minima.AsSpan(0, withMinima ? _done : 0);

    public void Write(ReadOnlySpan<float> values)
    {
        if (!IsOpen)
        {
            return;
        }

        while (!values.IsEmpty)
        {
            var part = Math.Min(values.Length, (BlocksHeld * format.BlockSize) - _count);
            values[..part].CopyTo(_values.AsSpan(_count));
            values = values[part..];
            _count += part;
            RoundWhole();
        }
    }

    /// <summary>Zero points as the runtime wants them: row by row, 4-bit ones two to a byte.</summary>
    public byte[] PackedZeros(long blocksInRow)
    {
        if (format.Bits == 8)
        {
            return _zeros.AsSpan(0, _done).ToArray();
        }

        var rowBytes = (blocksInRow + 1) / 2;
        var packed = new byte[_done / blocksInRow * rowBytes];
        for (var i = 0; i < _done; i++)
        {
            var (row, block) = (i / blocksInRow, i % blocksInRow);
            packed[(row * rowBytes) + (block / 2)] |= (byte)(_zeros[i] << (int)(block % 2 * 4));
        }

        return packed;
    }

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_scales);
        ArrayPool<byte>.Shared.Return(_zeros);
        ArrayPool<float>.Shared.Return(_values);
        ArrayPool<byte>.Shared.Return(_codes);
        if (_minima.Length > 0)
        {
            ArrayPool<float>.Shared.Return(_minima);
        }
    }

    private void RoundWhole()
    {
        var size = format.BlockSize;
        var whole = _count / size;
        if (whole == 0)
        {
            return;
        }

        if (_done + whole > blocks)
        {
            throw new InvalidOperationException($"More than the {blocks} blocks of the matrix were written.");
        }

        var first = _done;
        // Rounding is what an import takes longest for, and every block stands for itself.
        var parts = (whole + BlocksAtOnce - 1) / BlocksAtOnce;
        var failed = false;
        Parallel.For(0, parts, part =>
        {
            var (from, count) = (part * BlocksAtOnce, Math.Min(BlocksAtOnce, whole - (part * BlocksAtOnce)));
            var values = _values.AsSpan(from * size, count * size);
            var codes = _codes.AsSpan(from * format.CodeBytes, count * format.CodeBytes);
            var scales = _scales.AsSpan(first + from, count);
            var zeros = _zeros.AsSpan(first + from, count);
            if (!withMinima)
            {
                BlockQuantizer.RoundRun(format, values, codes, scales, zeros);
                return;
            }

            zeros.Clear();
            if (!BlockQuantizer.TryAffineRun(format, values, codes, scales, _minima.AsSpan(first + from, count)))
            {
                Volatile.Write(ref failed, true);
            }
        });
        if (failed)
        {
            IsOpen = false;
            return;
        }

        file.WriteBytes(_codes.AsSpan(0, whole * format.CodeBytes));
        _done += whole;
        var rest = _count - (whole * size);
        _values.AsSpan(whole * size, rest).CopyTo(_values);
        _count = rest;
    }
}
