using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// Published weights as an architecture reads them: names brought to one spelling, and matrices that are stored [in, out]
/// turned to [out, in].
/// </summary>
internal sealed class WeightView : IWeightSource
{
    private readonly IWeightSource _source;
    private readonly Func<string, bool> _isTurned;
    private readonly Dictionary<string, (TensorInfo Info, string Stored)> _tensors;
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private (string Name, float[] Values)? _turned; // the matrix turned last

    /// <param name="rename">The stored name to the architecture's.</param>
    /// <param name="isTurned">Whether the matrix of that name (the architecture's) is stored [in, out].</param>
    public WeightView(IWeightSource source, Func<string, string> rename, Func<string, bool> isTurned)
    {
        (_source, _isTurned) = (source, isTurned);
        _tensors = new Dictionary<string, (TensorInfo, string)>(StringComparer.Ordinal);
        foreach (var tensor in source.Tensors)
        {
            var name = rename(tensor.Name);
            var shape = isTurned(name) && tensor.Shape.Count == 2 ? [tensor.Shape[1], tensor.Shape[0]] : tensor.Shape;
            if (!_tensors.TryAdd(name, (new TensorInfo(name, tensor.Type, shape), tensor.Name)))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The weights '{_tensors[name].Stored}' and '{tensor.Name}' are the same one under two names.");
            }
        }

        foreach (var (alias, name) in source.Aliases)
        {
            _aliases.TryAdd(rename(alias), rename(name));
        }
    }

    public IReadOnlyCollection<TensorInfo> Tensors => [.. _tensors.Values.Select(t => t.Info)];

    public IReadOnlyDictionary<string, string> Aliases => _aliases;

    public TensorInfo? Find(string name) => _tensors.TryGetValue(Kept(name), out var tensor) ? tensor.Info : null;

    public void Read(string name, long offset, Span<float> destination)
    {
        name = Kept(name);
        var (info, stored) = _tensors[name];
        if (!_isTurned(name) || info.Shape.Count != 2)
        {
            _source.Read(stored, offset, destination);
            return;
        }

        lock (_gate)
        {
            if (_turned is not { } turned || turned.Name != name)
            {
                turned = (name, Turn(info, stored));
                _turned = turned;
            }

            turned.Values.AsSpan(checked((int)offset), destination.Length).CopyTo(destination);
        }
    }

    /// <summary>The name under which the files hold a tensor.</summary>
    private string Kept(string name) => !_tensors.ContainsKey(name) && _aliases.TryGetValue(name, out var kept) ? kept : name;

    private float[] Turn(TensorInfo info, string stored)
    {
        var (rows, columns) = (checked((int)info.Shape[0]), checked((int)info.Shape[1]));
        var turned = new float[info.Elements];
        var column = new float[rows];
        for (var i = 0; i < columns; i++)
        {
            _source.Read(stored, (long)i * rows, column);
            for (var j = 0; j < rows; j++)
            {
                turned[((long)j * columns) + i] = column[j];
            }
        }

        return turned;
    }
}
