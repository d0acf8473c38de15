using System.Runtime.InteropServices;
using LlmOs.Engine.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// Rounds a matrix to blocks on its way into the weight file: codes are written as they are made, scales and zero points
/// (an eighth of the codes or less) are kept until the matrix ends. Blocks that were blocks before come through without loss.
/// </summary>
/// <param name="format">Whose block size divides the columns.</param>
/// <param name="withMinima">
/// Whether every block is to be code * scale + minimum exactly; where one is not, <see cref="IsOpen"/> turns false and the rest is ignored.
/// </param>
internal sealed class BlockSink(WeightFile file, BlockFormat format, bool withMinima) : IFloatSink
{
    /// <summary>Blocks that one thread rounds at a time.</summary>
    private const int BlocksAtOnce = 2048;

    private readonly List<float> _scales = [];
    private readonly List<byte> _zeros = [];
    private readonly List<float> _minima = [];
    private float[] _values = new float[BlocksAtOnce * 32];
    private byte[] _codes = [];
    private int _count; // values that wait for the rest of their block, then those of a write

    /// <summary>False once a block was not what <c>withMinima</c> wants.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>[blocks]</summary>
    public ReadOnlySpan<float> Scales => CollectionsMarshal.AsSpan(_scales);

    /// <summary>[blocks], of matrices with minima.</summary>
    public ReadOnlySpan<float> Minima => CollectionsMarshal.AsSpan(_minima);

    public void Write(ReadOnlySpan<float> values)
    {
        if (!IsOpen)
        {
            return;
        }

        while (!values.IsEmpty)
        {
            var part = Math.Min(values.Length, Math.Max(_values.Length, BlocksAtOnce * 8 * format.BlockSize) - _count);
            if (_values.Length < _count + part)
            {
                Array.Resize(ref _values, BlocksAtOnce * 8 * format.BlockSize);
            }

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
            return [.. _zeros];
        }

        var rowBytes = (blocksInRow + 1) / 2;
        var packed = new byte[_zeros.Count / blocksInRow * rowBytes];
        for (var i = 0; i < _zeros.Count; i++)
        {
            var (row, block) = (i / blocksInRow, i % blocksInRow);
            packed[(row * rowBytes) + (block / 2)] |= (byte)(_zeros[i] << (int)(block % 2 * 4));
        }

        return packed;
    }

    private void RoundWhole()
    {
        var size = format.BlockSize;
        var blocks = _count / size;
        if (blocks == 0)
        {
            return;
        }

        var first = _scales.Count;
        CollectionsMarshal.SetCount(_scales, first + blocks);
        CollectionsMarshal.SetCount(_zeros, first + blocks);
        if (withMinima)
        {
            CollectionsMarshal.SetCount(_minima, first + blocks);
        }

        if (_codes.Length < blocks * format.CodeBytes)
        {
            _codes = new byte[blocks * format.CodeBytes];
        }

        // Rounding is what an import takes longest for, and every block stands for itself.
        var parts = (blocks + BlocksAtOnce - 1) / BlocksAtOnce;
        var failed = false;
        Parallel.For(0, parts, part =>
        {
            Span<byte> codes = stackalloc byte[size];
            var scales = CollectionsMarshal.AsSpan(_scales)[first..];
            var zeros = CollectionsMarshal.AsSpan(_zeros)[first..];
            var minima = CollectionsMarshal.AsSpan(_minima);
            for (var i = part * BlocksAtOnce; i < Math.Min(blocks, (part + 1) * BlocksAtOnce); i++)
            {
                var block = _values.AsSpan(i * size, size);
                if (withMinima)
                {
                    if (!BlockQuantizer.TryAffine(block, codes, out scales[i], out minima[first + i]))
                    {
                        Volatile.Write(ref failed, true);
                        return;
                    }

                    zeros[i] = 0;
                }
                else if (BlockQuantizer.TryExact(format, block, codes, out scales[i]))
                {
                    zeros[i] = (byte)format.MiddleCode;
                }
                else
                {
                    (scales[i], var zero) = BlockQuantizer.Round(format, block, codes);
                    zeros[i] = (byte)zero;
                }

                BlockQuantizer.Pack(format.Bits, codes, _codes.AsSpan(i * format.CodeBytes, format.CodeBytes));
            }
        });
        if (failed)
        {
            IsOpen = false;
            return;
        }

        file.WriteBytes(_codes.AsSpan(0, blocks * format.CodeBytes));
        var rest = _count - (blocks * size);
        _values.AsSpan(blocks * size, rest).CopyTo(_values);
        _count = rest;
    }
}
