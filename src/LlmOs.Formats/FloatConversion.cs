using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LlmOs.Formats;

/// <summary>Between f32 and the two 16-bit forms. Widening is exact; narrowing rounds to nearest, ties to even.</summary>
internal static class FloatConversion
{
    public static void FromHalf(ReadOnlySpan<byte> source, Span<float> destination) =>
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);

    public static void ToHalf(ReadOnlySpan<float> source, Span<byte> destination) =>
        TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));

    /// <summary>bf16 is the upper half of an f32.</summary>
    public static void FromBrain(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var narrow = MemoryMarshal.Cast<byte, ushort>(source);
        var wide = MemoryMarshal.Cast<float, uint>(destination);
        var done = 0;
        for (; done <= narrow.Length - Vector<ushort>.Count; done += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(narrow[done..]), out var low, out var high);
            Vector.ShiftLeft(low, 16).CopyTo(wide[done..]);
            Vector.ShiftLeft(high, 16).CopyTo(wide[(done + Vector<uint>.Count)..]);
        }

        for (; done < narrow.Length; done++)
        {
            wide[done] = (uint)narrow[done] << 16;
        }
    }

    public static void ToBrain(ReadOnlySpan<float> source, Span<byte> destination)
    {
        var wide = MemoryMarshal.Cast<float, uint>(source);
        var narrow = MemoryMarshal.Cast<byte, ushort>(destination);
        for (var i = 0; i < wide.Length; i++)
        {
            var bits = wide[i];
            // Rounding could carry a NaN's payload into an infinity; a quiet NaN stays one.
            narrow[i] = float.IsNaN(source[i])
                ? (ushort)((bits >> 16) | 0x40)
                : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }
}
