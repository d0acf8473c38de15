using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LlmOs.Formats.Gguf;

/// <summary>
/// The floats that ggml's blocks stand for, exactly: a scale is f16, codes are small whole numbers, so each product is exact
/// in f32 and at most one rounding happens, the same that ggml does. Layouts: ggml-common.h, published with ggml.
/// </summary>
internal static class GgmlBlocks
{
    private static readonly Vector128<sbyte> NonLinear = Vector128.Create(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    private static readonly Vector128<sbyte> TwiceFp4 = Vector128.Create((sbyte)0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

    /// <summary>The types that <see cref="Widen"/> takes.</summary>
    public static IReadOnlyList<GgmlType> Readable { get; } =
    [
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.Q8_0,
        GgmlType.Q2_K, GgmlType.Q3_K, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K, GgmlType.IQ4_NL, GgmlType.IQ4_XS,
        GgmlType.MXFP4, GgmlType.TQ1_0, GgmlType.TQ2_0,
    ];

    public static bool CanRead(GgmlType type) => Readable.Contains(type);

    /// <param name="blocks">Whole blocks.</param>
    /// <param name="floats">As many elements as the blocks hold.</param>
    public static void Widen(GgmlType type, ReadOnlySpan<byte> blocks, Span<float> floats)
    {
        switch (type)
        {
            case GgmlType.F32:
                MemoryMarshal.Cast<byte, float>(blocks).CopyTo(floats);
                return;
            case GgmlType.F16:
                FloatConversion.FromHalf(blocks, floats);
                return;
            case GgmlType.BF16:
                FloatConversion.FromBrain(blocks, floats);
                return;
        }

        OneBlock widen = type switch
        {
            GgmlType.Q4_0 => Q4_0,
            GgmlType.Q4_1 => Q4_1,
            GgmlType.Q5_0 => Q5_0,
            GgmlType.Q5_1 => Q5_1,
            GgmlType.Q8_0 => Q8_0,
            GgmlType.Q2_K => Q2_K,
            GgmlType.Q3_K => Q3_K,
            GgmlType.Q4_K => Q4_K,
            GgmlType.Q5_K => Q5_K,
            GgmlType.Q6_K => Q6_K,
            GgmlType.IQ4_NL => IQ4_NL,
            GgmlType.IQ4_XS => IQ4_XS,
            GgmlType.MXFP4 => MXFP4,
            GgmlType.TQ1_0 => TQ1_0,
            GgmlType.TQ2_0 => TQ2_0,
            _ => throw new ArgumentException($"Blocks of the type {type} are not read.", nameof(type)),
        };
        var (elements, bytes) = (type.BlockElements, type.BlockBytes);
        for (; !blocks.IsEmpty; blocks = blocks[bytes..], floats = floats[elements..])
        {
            widen(blocks[..bytes], floats[..elements]);
        }
    }

    private delegate void OneBlock(ReadOnlySpan<byte> block, Span<float> y);

    /// <summary>d, 16 bytes: byte i holds element i (low) and i + 16 (high). (q - 8) d.</summary>
    private static void Q4_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block);
        var codes = Vector128.Create(block[2..]);
        Signed((Low(codes).AsSByte() - Vector128.Create((sbyte)8)), d, y);
        Signed((High(codes).AsSByte() - Vector128.Create((sbyte)8)), d, y[16..]);
    }

    /// <summary>d, m, 16 bytes as Q4_0. q d + m.</summary>
    private static void Q4_1(ReadOnlySpan<byte> block, Span<float> y)
    {
        var (d, m) = (Half(block), Half(block[2..]));
        var codes = Vector128.Create(block[4..]);
        Affine(Low(codes), d, m, y);
        Affine(High(codes), d, m, y[16..]);
    }

    /// <summary>d, 32 fifth bits, 16 bytes as Q4_0. (q - 16) d.</summary>
    private static void Q5_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block);
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        var codes = Vector128.Create(block[6..]);
        Signed((Low(codes) | Fifth(fifth)).AsSByte() - Vector128.Create((sbyte)16), d, y);
        Signed((High(codes) | Fifth(fifth >> 16)).AsSByte() - Vector128.Create((sbyte)16), d, y[16..]);
    }

    /// <summary>d, m, 32 fifth bits, 16 bytes as Q4_0. q d + m.</summary>
    private static void Q5_1(ReadOnlySpan<byte> block, Span<float> y)
    {
        var (d, m) = (Half(block), Half(block[2..]));
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        var codes = Vector128.Create(block[8..]);
        Affine(Low(codes) | Fifth(fifth), d, m, y);
        Affine(High(codes) | Fifth(fifth >> 16), d, m, y[16..]);
    }

    /// <summary>d, 32 signed bytes. q d.</summary>
    private static void Q8_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block);
        Signed(Vector128.Create(block[2..]).AsSByte(), d, y);
        Signed(Vector128.Create(block[18..]).AsSByte(), d, y[16..]);
    }

    /// <summary>16 bytes of scale (low) and minimum (high), 64 bytes of 2-bit codes, d, dmin; a group has 16 elements.</summary>
    private static void Q2_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var (d, dmin) = (Half(block[80..]), Half(block[82..]));
        for (var group = 0; group < 16; group++)
        {
            // Groups 0 to 7 share the first 32 bytes of codes, two groups to each pair of bits.
            var codes = Vector128.Create(block[(16 + (group / 8 * 32) + (group % 2 * 16))..]);
            var scale = block[group];
            Affine((codes >> (group % 8 / 2 * 2)) & Vector128.Create((byte)3), d * (scale & 15), -(dmin * (scale >> 4)), y[(group * 16)..]);
        }
    }

    /// <summary>32 bytes of third bits, 64 of two low bits, 12 of 6-bit scales, d; a group has 16 elements. (q - 4) (scale - 32) d.</summary>
    private static void Q3_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block[108..]);
        var scales = block.Slice(96, 12);
        for (var group = 0; group < 16; group++)
        {
            var half = group % 2 * 16;
            var codes = (Vector128.Create(block[(32 + (group / 8 * 32) + half)..]) >> (group % 8 / 2 * 2)) & Vector128.Create((byte)3);
            var third = (Vector128.Create(block[half..]) >> (group / 2)) & Vector128.Create((byte)1);
            var low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            var scale = (low | ((scales[8 + (group % 4)] >> (group / 4 * 2)) & 3) << 4) - 32;
            Signed((codes | (third << 2)).AsSByte() - Vector128.Create((sbyte)4), d * scale, y[(group * 16)..]);
        }
    }

    /// <summary>d, dmin, 12 bytes of eight 6-bit scales and minima, 128 bytes of codes; a group has 32 elements. q d scale - dmin minimum.</summary>
    private static void Q4_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var (d, dmin) = (Half(block), Half(block[2..]));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = ScaleAndMinimum(block.Slice(4, 12), group);
            var codes = block[(16 + (group / 2 * 32))..];
            for (var at = 0; at < 32; at += 16)
            {
                Affine(Nibbles(codes[at..], group % 2), d * scale, -(dmin * minimum), y[((group * 32) + at)..]);
            }
        }
    }

    /// <summary>As Q4_K, with 32 bytes of fifth bits before the codes: bit g of byte i belongs to element i of group g.</summary>
    private static void Q5_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var (d, dmin) = (Half(block), Half(block[2..]));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = ScaleAndMinimum(block.Slice(4, 12), group);
            var codes = block[(48 + (group / 2 * 32))..];
            for (var at = 0; at < 32; at += 16)
            {
                var fifth = (Vector128.Create(block[(16 + at)..]) >> group) & Vector128.Create((byte)1);
                Affine(Nibbles(codes[at..], group % 2) | (fifth << 4), d * scale, -(dmin * minimum), y[((group * 32) + at)..]);
            }
        }
    }

    /// <summary>128 bytes of four low bits, 64 of two high bits, 16 signed scales, d; a group has 16 elements. (q - 32) scale d.</summary>
    private static void Q6_K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block[208..]);
        for (var group = 0; group < 16; group++)
        {
            // 128 elements share 64 low bytes and 32 high bytes: quarters 0 and 1 are low nibbles, 2 and 3 high ones.
            var (half, quarter, at) = (group / 8, group % 8 / 2, group % 2 * 16);
            var low = Nibbles(block[((half * 64) + (quarter % 2 * 32) + at)..], quarter / 2);
            var high = (Vector128.Create(block[(128 + (half * 32) + at)..]) >> (quarter * 2)) & Vector128.Create((byte)3);
            Signed((low | (high << 4)).AsSByte() - Vector128.Create((sbyte)32), d * (sbyte)block[192 + group], y[(group * 16)..]);
        }
    }

    /// <summary>As Q4_0, codes looked up in a table.</summary>
    private static void IQ4_NL(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block);
        Signed(Vector128.Shuffle(NonLinear, Nibbles(block[2..], 0).AsSByte()), d, y);
        Signed(Vector128.Shuffle(NonLinear, Nibbles(block[2..], 1).AsSByte()), d, y[16..]);
    }

    /// <summary>d, 8 times two high bits of a scale, four bytes of low ones, 128 bytes of IQ4_NL codes; a group has 32 elements.</summary>
    private static void IQ4_XS(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block);
        var high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (var group = 0; group < 8; group++)
        {
            var scale = (((block[4 + (group / 2)] >> (group % 2 * 4)) & 15) | (((high >> (group * 2)) & 3) << 4)) - 32;
            var codes = block[(8 + (group * 16))..];
            Signed(Vector128.Shuffle(NonLinear, Nibbles(codes, 0).AsSByte()), d * scale, y[(group * 32)..]);
            Signed(Vector128.Shuffle(NonLinear, Nibbles(codes, 1).AsSByte()), d * scale, y[((group * 32) + 16)..]);
        }
    }

    /// <summary>One exponent byte, 16 bytes of E2M1 codes as Q4_0 (OCP Microscaling Formats 1.0). The table holds twice the values.</summary>
    private static void MXFP4(ReadOnlySpan<byte> block, Span<float> y)
    {
        // 2^(e - 127) / 2; for e below 2 that is subnormal.
        var half = BitConverter.UInt32BitsToSingle(block[0] < 2 ? 0x0020_0000u << block[0] : (uint)(block[0] - 1) << 23);
        Signed(Vector128.Shuffle(TwiceFp4, Nibbles(block[1..], 0).AsSByte()), half, y);
        Signed(Vector128.Shuffle(TwiceFp4, Nibbles(block[1..], 1).AsSByte()), half, y[16..]);
    }

    /// <summary>48 bytes of five base-3 digits each, 4 of four, d. A byte holds its digits as a fraction of 256.</summary>
    private static void TQ1_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block[52..]);
        var at = Ternary(block[..32], 5, d, y);
        at += Ternary(block.Slice(32, 16), 5, d, y[at..]);
        Ternary(block.Slice(48, 4), 4, d, y[at..]);
    }

    private static int Ternary(ReadOnlySpan<byte> bytes, int digits, float d, Span<float> y)
    {
        var power = 1;
        for (var digit = 0; digit < digits; digit++, power *= 3)
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                var rest = (byte)(bytes[i] * power);
                y[(digit * bytes.Length) + i] = ((rest * 3 >> 8) - 1) * d;
            }
        }

        return digits * bytes.Length;
    }

    /// <summary>64 bytes of four 2-bit codes, d. (q - 1) d.</summary>
    private static void TQ2_0(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block[64..]);
        for (var group = 0; group < 16; group++)
        {
            var codes = Vector128.Create(block[((group / 8 * 32) + (group % 2 * 16))..]);
            var two = (codes >> (group % 8 / 2 * 2)) & Vector128.Create((byte)3);
            Signed(two.AsSByte() - Vector128.Create((sbyte)1), d, y[(group * 16)..]);
        }
    }

    /// <summary>6-bit pairs: the first four lie in the low bits of bytes 0 to 7, the others are cut into nibbles and top bits.</summary>
    private static (int Scale, int Minimum) ScaleAndMinimum(ReadOnlySpan<byte> packed, int group) => group < 4
        ? (packed[group] & 63, packed[group + 4] & 63)
        : ((packed[group + 4] & 15) | (packed[group - 4] >> 6 << 4), (packed[group + 4] >> 4) | (packed[group] >> 6 << 4));

    private static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    private static Vector128<byte> Nibbles(ReadOnlySpan<byte> bytes, int half) =>
        half == 0 ? Low(Vector128.Create(bytes)) : High(Vector128.Create(bytes));

    private static Vector128<byte> Low(Vector128<byte> codes) => codes & Vector128.Create((byte)15);

    private static Vector128<byte> High(Vector128<byte> codes) => codes >> 4;

    /// <summary>16, where bit i is set, in element i.</summary>
    private static Vector128<byte> Fifth(uint bits)
    {
        var bytes = Vector128.Create((byte)bits, (byte)bits, (byte)bits, (byte)bits, (byte)bits, (byte)bits, (byte)bits, (byte)bits,
            (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8), (byte)(bits >> 8));
        var bit = Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
        return Vector128.Equals(bytes & bit, bit) & Vector128.Create((byte)16);
    }

    /// <summary>y = q d for 16 codes.</summary>
    private static void Signed(Vector128<sbyte> codes, float d, Span<float> y)
    {
        var (low, high) = Vector128.Widen(codes);
        var scale = Vector128.Create(d);
        y = y[..16];
        (Vector128.ConvertToSingle(Vector128.WidenLower(low)) * scale).CopyTo(y);
        (Vector128.ConvertToSingle(Vector128.WidenUpper(low)) * scale).CopyTo(y[4..]);
        (Vector128.ConvertToSingle(Vector128.WidenLower(high)) * scale).CopyTo(y[8..]);
        (Vector128.ConvertToSingle(Vector128.WidenUpper(high)) * scale).CopyTo(y[12..]);
    }

    /// <summary>y = q d + m for 16 codes. q d is exact, so that one rounding happens whether or not the machine fuses the two.</summary>
    private static void Affine(Vector128<byte> codes, float d, float m, Span<float> y)
    {
        var (low, high) = Vector128.Widen(codes);
        var (scale, add) = (Vector128.Create(d), Vector128.Create(m));
        y = y[..16];
        ((Vector128.ConvertToSingle(Vector128.WidenLower(low).AsInt32()) * scale) + add).CopyTo(y);
        ((Vector128.ConvertToSingle(Vector128.WidenUpper(low).AsInt32()) * scale) + add).CopyTo(y[4..]);
        ((Vector128.ConvertToSingle(Vector128.WidenLower(high).AsInt32()) * scale) + add).CopyTo(y[8..]);
        ((Vector128.ConvertToSingle(Vector128.WidenUpper(high).AsInt32()) * scale) + add).CopyTo(y[12..]);
    }
}
