using System.Buffers;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>Takes a tensor's elements in row-major order: a file, or a quantiser on the way to one.</summary>
internal interface IFloatSink
{
    /// <summary>False once nothing more is wanted: what is written from then on is ignored.</summary>
    bool IsOpen => true;

    void Write(ReadOnlySpan<float> values);
}

/// <summary>What is written in more than one go. The buffer is small: a model larger than the memory can be written.</summary>
internal static class FloatSinks
{
    private const int BufferElements = 1 << 18;

    /// <summary>Copies a run of a published tensor's elements, each through <paramref name="map"/> where there is one.</summary>
    public static void Copy(this IFloatSink sink, IWeightSource source, string tensor, long offset, long count, CancellationToken cancel, Func<float, float>? map = null)
    {
        var buffer = ArrayPool<float>.Shared.Rent((int)Math.Min(count, BufferElements));
        try
        {
            while (count > 0 && sink.IsOpen)
            {
                cancel.ThrowIfCancellationRequested();
                var part = buffer.AsSpan(0, (int)Math.Min(count, buffer.Length));
                source.Read(tensor, offset, part);
                if (map is not null)
                {
                    foreach (ref var value in part)
                    {
                        value = map(value);
                    }
                }

                sink.Write(part);
                offset += part.Length;
                count -= part.Length;
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    public static void WriteZeros(this IFloatSink sink, long count)
    {
        Span<float> zeros = stackalloc float[256];
        zeros.Clear();
        for (; count > 0; count -= zeros.Length)
        {
            sink.Write(zeros[..(int)Math.Min(count, zeros.Length)]);
        }
    }
}
