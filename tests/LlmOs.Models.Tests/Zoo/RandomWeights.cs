using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Small random weights for a configuration, the same for the same seed.</summary>
internal sealed class RandomWeights : IWeightSource
{
    private readonly Dictionary<string, float[]> _values = [];

    public RandomWeights(IReadOnlyList<TensorInfo> tensors, int seed)
    {
        var random = new Random(seed);
        Tensors = tensors;
        foreach (var tensor in tensors)
        {
            var around = tensor.Name.Contains("norm") ? 1f : 0f;
            var values = new float[tensor.Elements];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = around + (float)(random.NextDouble() - 0.5) * 0.5f;
            }

            _values.Add(tensor.Name, values);
        }
    }

    public RandomWeights(ModelConfig config, int seed)
        : this(LlamaWeights.Of(config), seed)
    {
    }

    public IReadOnlyCollection<TensorInfo> Tensors { get; }

    public TensorInfo? Find(string name) => Tensors.FirstOrDefault(t => t.Name == name);

    public void Read(string name, long offset, Span<float> destination) =>
        _values[name].AsSpan((int)offset, destination.Length).CopyTo(destination);
}
