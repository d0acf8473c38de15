using LlmOs.Formats;
using LlmOs.Formats.Gguf;

namespace LlmOs.Models.Import.Gguf;

/// <summary>The weights of a GGUF file under their published names, in their published order of elements, as f32.</summary>
internal sealed class GgufWeights : IWeightSource
{
    private readonly GgufFile _file;
    private readonly Dictionary<string, (TensorInfo Info, GgufPart Part)> _parts = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private (string Name, float[] Values)? _turned; // the last turned weight: it is read whole, and asked for piece by piece

    /// <param name="file">Left open.</param>
    public GgufWeights(GgufFile file, IEnumerable<GgufPart> parts)
    {
        _file = file;
        foreach (var part in parts)
        {
            if (!_parts.TryAdd(part.Name, (new TensorInfo(part.Name, TensorType.F32, part.Shape), part)))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file.Metadata.File}: the weight {part.Name} is there twice.");
            }
        }
    }

    public IReadOnlyCollection<TensorInfo> Tensors => [.. _parts.Values.Select(p => p.Info)];

    public TensorInfo? Find(string name) => _parts.TryGetValue(name, out var entry) ? entry.Info : null;

    public void Read(string name, long offset, Span<float> destination)
    {
        var part = _parts[name].Part;
        if (part.Turned)
        {
            Turned(part).AsSpan((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        var width = part.Tensor.Shape is [.., var last] ? last : 1;
        var columns = part.Tensor.Shape.Count > 1 ? width : 1; // a bias has rows of one element
        if (part.RowOf is null)
        {
            _file.Read(part.Tensor.Name, (part.FirstRow * columns) + offset, destination);
        }
        else
        {
            for (var rest = destination; !rest.IsEmpty;)
            {
                var (row, at) = (offset / columns, offset % columns);
                var count = (int)Math.Min(columns - at, rest.Length);
                _file.Read(part.Tensor.Name, ((part.FirstRow + part.RowOf(row)) * columns) + at, rest[..count]);
                rest = rest[count..];
                offset += count;
            }
        }

        if (part.Offset != 0)
        {
            foreach (ref var value in destination)
            {
                value += part.Offset;
            }
        }
    }

    private float[] Turned(GgufPart part)
    {
        lock (_gate)
        {
            if (_turned is { } held && held.Name == part.Name)
            {
                return held.Values;
            }

            var (rows, columns) = (part.Tensor.Shape[0], part.Tensor.Shape[1]);
            var turned = new float[rows * columns];
            var row = new float[columns];
            for (long r = 0; r < rows; r++)
            {
                _file.Read(part.Tensor.Name, r * columns, row);
                for (long c = 0; c < columns; c++)
                {
                    turned[(c * rows) + r] = row[c];
                }
            }

            _turned = (part.Name, turned);
            return turned;
        }
    }
}
