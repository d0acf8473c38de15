using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LlmOs.Formats;

/// <summary>
/// Rounds blocks of weights to codes. <see cref="Round"/> gives what ONNX Runtime's own quantiser gives, code by code;
/// <see cref="TryExact"/> finds the codes of weights that were such codes before, so that a model that was published in
/// blocks, widened and stored as floats goes back into blocks without loss.
/// </summary>
public static class BlockQuantizer
{
    /// <summary>Codes that the largest weight of an exact block may have had: the ends of the published formats' ranges.</summary>
    private static readonly int[] Extremes4 = [-8, 7, 6, 5, 4, 3, 2, 1];

    private static readonly int[] Extremes8 = [127, -128, 113, 16, 15, 12, 8, 7];

    /// <summary>
    /// Rounds a run of blocks: exactly where <see cref="TryExact"/> finds how, on the steps of 4-bit blocks where <see cref="TryLevels"/>
    /// does, else to nearest. An import spends most of its time
    /// here and runs once in a process's life, so the code is compiled for speed at once instead of after many calls.
    /// </summary>
    /// <param name="values">Whole blocks.</param>
    /// <param name="packed">The blocks' codes, packed.</param>
    /// <param name="scales">One a block.</param>
    /// <param name="zeros">Zero points, one a block.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundRun(BlockFormat format, ReadOnlySpan<float> values, Span<byte> packed, Span<float> scales, Span<byte> zeros)
    {
        var (size, bytes) = (format.BlockSize, format.CodeBytes);
        Span<byte> codes = stackalloc byte[size];
        for (var i = 0; i < values.Length / size; i++)
        {
            var block = values.Slice(i * size, size);
            if (TryExact(format, block, codes, out scales[i]))
            {
                zeros[i] = (byte)format.MiddleCode;
            }
            else if (format is { Bits: 8, Symmetric: true } && TryLevels(block, codes, out scales[i]))
            {
                zeros[i] = (byte)format.MiddleCode;
            }
            else
            {
                (scales[i], var zero) = Round(format, block, codes);
                zeros[i] = (byte)zero;
            }

            Pack(format.Bits, codes, packed.Slice(i * bytes, bytes));
        }
    }

    /// <summary>
    /// 8-bit codes of a block that was 4-bit codes with a minimum (<see cref="TryAffine"/>): its step is a whole number of ours, so all
    /// weights are off by the same, and of the numbers that fit the one is taken that brings the minimum nearest. What is left
    /// is a third to a half of what rounding to nearest leaves (root mean square).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryLevels(ReadOnlySpan<float> block, Span<byte> codes, out float scale)
    {
        const int Middle = 128, Last = 127, Steps = 15;
        scale = 0;
        if (!TryAffine(block, codes, out var step, out var minimum) || step == 0)
        {
            return false;
        }

        var (least, parts, first) = (float.MaxValue, 0, 0);
        for (var times = 1; times <= (Middle + Last) / Steps; times++)
        {
            var low = (int)MathF.Round(minimum * times / step);
            if (low < -Middle || low + (Steps * times) > Last)
            {
                continue;
            }

            var error = MathF.Abs(minimum - (low * step / times));
            if (error <= least)
            {
                (least, parts, first) = (error, times, low);
            }
        }

        if (parts == 0)
        {
            return false;
        }

        scale = step / parts;
        for (var i = 0; i < block.Length; i++)
        {
            codes[i] = (byte)(Middle + first + (codes[i] * parts));
        }

        return true;
    }

    /// <summary>Round to nearest, ties up, as ONNX Runtime does.</summary>
    /// <param name="codes">As many as the block has elements; one a byte.</param>
    /// <returns>Scale, 0 for a block of zeros and negative where a symmetric block's extreme is positive; and zero point.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (float Scale, int ZeroPoint) Round(BlockFormat format, ReadOnlySpan<float> block, Span<byte> codes)
    {
        var (scale, zero) = format.Symmetric ? SymmetricScale(format, block) : Range(format, block);
        var reciprocal = scale == 0 ? 0 : 1 / scale;
        RoundAll(block, reciprocal, zero + 0.5f, format.MaxCode, codes);
        return (scale, zero);
    }

    /// <summary>The codes and the scale that give exactly these weights with the middle code as zero point, where there are such.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryExact(BlockFormat format, ReadOnlySpan<float> block, Span<byte> codes, out float scale)
    {
        // A scale of f16 times a code leaves the low bits of the f32 free: 11 + 4 or 11 + 7 of 24 are taken.
        scale = 0;
        var free = format.Bits == 4 ? 0x1FFu : 0x3Fu;
        return (LowBits(block) & free) == 0 && TryExtremes(format, block, codes, ref scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryExtremes(BlockFormat format, ReadOnlySpan<float> block, Span<byte> codes, ref float scale)
    {
        var extreme = Extreme(block);
        if (extreme == 0)
        {
            codes[..block.Length].Fill((byte)format.MiddleCode);
            return true;
        }

        foreach (var code in format.Bits == 4 ? Extremes4 : Extremes8)
        {
            // The signed end belongs to the extreme itself; the others may have either sign.
            scale = code < 0 ? extreme / code : MathF.Abs(extreme) / code;
            RoundAll(block, 1 / scale, format.MiddleCode + 0.5f, format.MaxCode, codes);
            if (Gives(block, codes, scale, format.MiddleCode))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary><see cref="TryAffine"/> for a run of blocks; false once one block is not so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryAffineRun(BlockFormat format, ReadOnlySpan<float> values, Span<byte> packed, Span<float> scales, Span<float> minima)
    {
        var (size, bytes) = (format.BlockSize, format.CodeBytes);
        Span<byte> codes = stackalloc byte[size];
        for (var i = 0; i < values.Length / size; i++)
        {
            if (!TryAffine(values.Slice(i * size, size), codes, out scales[i], out minima[i]))
            {
                return false;
            }

            Pack(format.Bits, codes, packed.Slice(i * bytes, bytes));
        }

        return true;
    }

    /// <summary>The 4-bit codes, scale and minimum with which code * scale + minimum is exactly each weight, where the two are f16 (ggml's Q4_1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryAffine(ReadOnlySpan<float> block, Span<byte> codes, out float scale, out float minimum)
    {
        (minimum, var max) = Ends(block);
        scale = (float)(Half)((max - minimum) / 15);
        if ((float)(Half)minimum != minimum)
        {
            return false;
        }

        var reciprocal = scale == 0 ? 0 : 1 / scale;
        for (var i = 0; i < block.Length; i++)
        {
            var code = (int)(((block[i] - minimum) * reciprocal) + 0.5f);
            if (code > 15 || (code * scale) + minimum != block[i])
            {
                return false;
            }

            codes[i] = (byte)code;
        }

        return true;
    }

    /// <summary>Packs codes: 8 bits as they are, 4 bits two to a byte, the first in the low nibble.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack(int bits, ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        if (bits == 8)
        {
            codes.CopyTo(packed);
            return;
        }

        var at = 0;
        for (; at <= codes.Length - 32; at += 32)
        {
            // A pair of codes is a 16-bit number low + 256 high; low + 16 high is what belongs into the byte.
            var first = Vector128.Create(codes[at..]).AsUInt16();
            var second = Vector128.Create(codes[(at + 16)..]).AsUInt16();
            Vector128.Narrow((first | (first >> 4)) & Vector128.Create((ushort)0xFF), (second | (second >> 4)) & Vector128.Create((ushort)0xFF)).CopyTo(packed[(at / 2)..]);
        }

        for (; at < codes.Length; at += 2)
        {
            packed[at / 2] = (byte)(codes[at] | ((at + 1 < codes.Length ? codes[at + 1] : 0) << 4));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (float Scale, int Zero) SymmetricScale(BlockFormat format, ReadOnlySpan<float> block) =>
        (Extreme(block) / -format.MiddleCode, format.MiddleCode);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (float Scale, int Zero) Range(BlockFormat format, ReadOnlySpan<float> block)
    {
        var (min, max) = Ends(block);
        (min, max) = (Math.Min(0, min), Math.Max(0, max));
        var scale = (max - min) / format.MaxCode;
        var zero = scale == 0 ? 0 : Math.Clamp((int)MathF.Round(-min / scale, MidpointRounding.AwayFromZero), 0, format.MaxCode);
        return (scale, zero);
    }

    /// <summary>The value of the largest magnitude, with its sign; the first of several.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Extreme(ReadOnlySpan<float> block)
    {
        var (min, max) = Ends(block);
        if (-min != max)
        {
            return -min > max ? min : max;
        }

        var (negative, positive) = (block.IndexOf(min), block.IndexOf(max));
        return negative < positive ? min : max;
    }

    /// <summary>The smallest and the largest value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (float Min, float Max) Ends(ReadOnlySpan<float> block)
    {
        var (min, max, at) = (block[0], block[0], 0);
        if (block.Length >= 4)
        {
            var (lows, highs) = (Vector128.Create(block), Vector128.Create(block));
            for (at = 4; at <= block.Length - 4; at += 4)
            {
                var some = Vector128.Create(block[at..]);
                (lows, highs) = (Vector128.Min(lows, some), Vector128.Max(highs, some));
            }

            for (var lane = 0; lane < 4; lane++)
            {
                (min, max) = (Math.Min(min, lows[lane]), Math.Max(max, highs[lane]));
            }
        }

        for (; at < block.Length; at++)
        {
            (min, max) = (Math.Min(min, block[at]), Math.Max(max, block[at]));
        }

        return (min, max);
    }

    /// <summary>Every bit that any of the values has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LowBits(ReadOnlySpan<float> block)
    {
        var bits = MemoryMarshal.Cast<float, uint>(block);
        var (all, some, at) = (0u, Vector128<uint>.Zero, 0);
        for (; at <= bits.Length - 4; at += 4)
        {
            some |= Vector128.Create(bits[at..]);
        }

        for (; at < bits.Length; at++)
        {
            all |= bits[at];
        }

        return all | some[0] | some[1] | some[2] | some[3];
    }

    /// <summary>codes = clamp(floor(w * reciprocal + offset)). Codes are not negative once clamped, so cutting is the floor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RoundAll(ReadOnlySpan<float> block, float reciprocal, float offset, int max, Span<byte> codes)
    {
        var at = 0;
        var (times, plus, top) = (Vector128.Create(reciprocal), Vector128.Create(offset), Vector128.Create((float)max));
        for (; at <= block.Length - 16; at += 16)
        {
            var a = Code(Vector128.Create(block[at..]));
            var b = Code(Vector128.Create(block[(at + 4)..]));
            var c = Code(Vector128.Create(block[(at + 8)..]));
            var d = Code(Vector128.Create(block[(at + 12)..]));
            Vector128.Narrow(Vector128.Narrow(a, b), Vector128.Narrow(c, d)).CopyTo(codes[at..]);
        }

        for (; at < block.Length; at++)
        {
            codes[at] = (byte)Math.Clamp((block[at] * reciprocal) + offset, 0, max);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector128<uint> Code(Vector128<float> w) =>
            Vector128.ConvertToInt32(Vector128.Min(Vector128.Max((w * times) + plus, Vector128<float>.Zero), top)).AsUInt32();
    }

    private static bool Gives(ReadOnlySpan<float> block, ReadOnlySpan<byte> codes, float scale, int zero)
    {
        for (var i = 0; i < block.Length; i++)
        {
            if ((codes[i] - zero) * scale != block[i])
            {
                return false;
            }
        }

        return true;
    }
}
