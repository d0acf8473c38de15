using LlmOs.Formats;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Weights in memory that a test renames, copies, changes and leaves out.</summary>
internal sealed class LooseWeights : IWeightSource
{
    private readonly Dictionary<string, (TensorInfo Info, float[] Values)> _tensors = new(StringComparer.Ordinal);

    public LooseWeights(IWeightSource source)
    {
        foreach (var tensor in source.Tensors)
        {
            var values = new float[tensor.Elements];
            source.Read(tensor.Name, 0, values);
            Add(tensor.Name, tensor.Shape, values);
        }
    }

    public Dictionary<string, string> Notes { get; } = new(StringComparer.Ordinal);

    public IReadOnlyCollection<TensorInfo> Tensors => [.. _tensors.Values.Select(t => t.Info)];

    public IReadOnlyDictionary<string, string> Aliases => Notes;

    public TensorInfo? Find(string name) => _tensors.TryGetValue(Kept(name), out var tensor) ? tensor.Info : null;

    public void Read(string name, long offset, Span<float> destination) => _tensors[Kept(name)].Values.AsSpan((int)offset, destination.Length).CopyTo(destination);

    public LooseWeights Add(string name, IReadOnlyList<long> shape, float[] values)
    {
        _tensors[name] = (new TensorInfo(name, TensorType.F32, shape), values);
        return this;
    }

    /// <summary>A copy under another name, each row changed.</summary>
    public LooseWeights Copy(string name, string to, Func<float, float>? change = null)
    {
        var (info, values) = _tensors[name];
        return Add(to, info.Shape, Array.ConvertAll(values, v => change is null ? v : change(v)));
    }

    /// <summary>A copy under another name whose row <c>order[i]</c> is row i.</summary>
    public LooseWeights Permute(string name, string to, int[] order)
    {
        var (info, values) = _tensors[name];
        var (width, moved) = ((int)info.Shape[1], new float[values.Length]);
        for (var row = 0; row < order.Length; row++)
        {
            values.AsSpan(row * width, width).CopyTo(moved.AsSpan(order[row] * width));
        }

        return Add(to, info.Shape, moved);
    }

    public LooseWeights Move(string name, string to)
    {
        Copy(name, to);
        return Remove(name);
    }

    public LooseWeights Remove(string name)
    {
        Assert.True(_tensors.Remove(name));
        return this;
    }

    /// <summary>Says in the file's notes, as safetensors' <c>save_model</c> does, that a name is another one's.</summary>
    public LooseWeights Note(string alias, string name)
    {
        Notes.Add(alias, name);
        return this;
    }

    private string Kept(string name) => !_tensors.ContainsKey(name) && Notes.TryGetValue(name, out var kept) ? kept : name;
}
