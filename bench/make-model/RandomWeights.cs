using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.MakeModel;

/// <summary>Weights drawn by a counter: any element can be had without those before it, and every run gives the same.</summary>
internal sealed class RandomWeights(ModelConfig config) : IWeightSource
{
    private readonly Dictionary<string, TensorInfo> _tensors = LlamaWeights.Of(config).ToDictionary(t => t.Name);

    public IReadOnlyCollection<TensorInfo> Tensors => _tensors.Values;

    public TensorInfo? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Norm weights lie around 1, the others around 0 with the spread 1 / sqrt(inputs) that keeps activations in range.</summary>
    public void Read(string name, long offset, Span<float> destination)
    {
        var tensor = _tensors[name];
        var (centre, spread) = tensor.Shape.Count == 1 ? (1f, 0.1f) : (0f, 1.7f / MathF.Sqrt(tensor.Shape[^1]));
        var stream = Mix(name.Aggregate(14695981039346656037UL, (hash, letter) => (hash ^ letter) * 1099511628211UL)); // FNV-1a
        for (var i = 0; i < destination.Length; i++)
        {
            var bits = Mix(stream + (ulong)(offset + i));
            destination[i] = centre + (((bits >> 40) / 16777216f) - 0.5f) * 2 * spread;
        }
    }

    /// <summary>The output function of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
