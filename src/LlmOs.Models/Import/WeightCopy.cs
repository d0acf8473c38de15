using LlmOs.Formats;

namespace LlmOs.Models.Import;

/// <summary>Writes weights from any source as one safetensors file, a few megabytes of memory at a time.</summary>
internal static class WeightCopy
{
    private const int BufferElements = 1 << 20;
    private const float LargestHalf = 65_504;

    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="report">Told the share done, from 0 to 1.</param>
    /// <exception cref="ModelFormatException">A weight is beyond what the type holds.</exception>
    public static void Write(IWeightSource weights, TensorType type, string path, Action<double> report, CancellationToken cancel)
    {
        var tensors = weights.Tensors.Select(t => t with { Type = type }).ToList();
        var (all, done) = ((double)tensors.Sum(t => t.Elements), 0L);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        var writer = new SafetensorsWriter(file, tensors, new Dictionary<string, string>(weights.Aliases) { ["format"] = "pt" });
        var buffer = new float[BufferElements];
        foreach (var tensor in tensors)
        {
            report(done / all);
            for (long at = 0; at < tensor.Elements; at += buffer.Length)
            {
                cancel.ThrowIfCancellationRequested();
                var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Elements - at));
                weights.Read(tensor.Name, at, part);
                if (type == TensorType.F16)
                {
                    RefuseBeyondHalf(tensor.Name, part);
                }

                writer.Write(tensor.Name, part);
            }

            done += tensor.Elements;
        }

        writer.Complete();
    }

    private static void RefuseBeyondHalf(string name, ReadOnlySpan<float> values)
    {
        if (System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(values) is var max && max > LargestHalf)
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"Weight '{name}' holds {max}, beyond what f16 can hold ({LargestHalf}). Import it as f32.");
        }
    }
}
