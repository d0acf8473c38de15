using System.Numerics.Tensors;

namespace LlmOs.Models.Import.Adapters;

/// <summary>scale * left * right, a matrix [rows, columns] that is never held as a whole.</summary>
/// <param name="left">[rows, rank]</param>
/// <param name="right">[rank, columns]</param>
internal sealed class LowRankUpdate(float[] left, float[] right, int rank, int columns, float scale)
{
    private readonly float[] _sums = new float[columns];

    /// <summary>Adds a run of its elements, counted in row-major order from <paramref name="offset"/>. For one thread at a time.</summary>
    public void AddTo(Span<float> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            var (row, at) = ((int)(offset / columns), (int)(offset % columns));
            var count = Math.Min(columns - at, destination.Length);
            var sums = _sums.AsSpan(0, count);
            sums.Clear();
            for (var k = 0; k < rank; k++)
            {
                TensorPrimitives.MultiplyAdd(right.AsSpan((k * columns) + at, count), left[(row * rank) + k], sums, sums);
            }

            TensorPrimitives.MultiplyAdd(sums, scale, destination[..count], destination[..count]);
            destination = destination[count..];
            offset += count;
        }
    }
}
