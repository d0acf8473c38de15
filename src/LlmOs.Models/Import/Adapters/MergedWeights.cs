using LlmOs.Formats;
using LlmOs.Models.Registry;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Import.Adapters;

/// <summary>
/// A base model's weights with a LoRA added: W + scale * B A, in f32. Weights that the adapter holds whole (biases, modules
/// that were trained as they are) replace the base's. Names, shapes and layout are the base's own.
/// </summary>
/// <remarks>Letters: W [out, in], A [rank, in], B [out, rank]; where the base stores a matrix [in, out] (GPT-2), the update is turned.</remarks>
internal sealed class MergedWeights : IWeightSource
{
    private const string Prefix = "base_model.model.", A = ".lora_A.weight", B = ".lora_B.weight";

    private readonly IWeightSource _base, _adapter;
    private readonly Dictionary<string, Pair> _pairs = new(StringComparer.Ordinal); // by the base's stored name
    private readonly Dictionary<string, string> _replaced = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private (string Name, LowRankUpdate Update)? _held; // tensors are read one after the other

    private sealed record Pair(TensorInfo A, TensorInfo B, double Scale, bool IsTurned);

    /// <exception cref="ModelFormatException">The adapter's tensors do not fit the base, or are of a kind that cannot be merged.</exception>
    public MergedWeights(IWeightSource weights, Architecture architecture, ModelConfig config, IWeightSource adapter, LoraConfig lora)
    {
        (_base, _adapter) = (weights, adapter);
        Tensors = [.. weights.Tensors.Where(t => t.IsFloating)];
        var stored = Tensors.ToDictionary(t => architecture.Rename(t.Name), StringComparer.Ordinal);
        foreach (var tensor in adapter.Tensors)
        {
            var name = tensor.Name.StartsWith(Prefix, StringComparison.Ordinal) ? tensor.Name[Prefix.Length..] : throw NoPlace(tensor);
            if (name.EndsWith(A, StringComparison.Ordinal))
            {
                var module = name[..^A.Length];
                var b = adapter.Find(Prefix + module + B) ?? throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The adapter holds '{tensor.Name}' without '{module + B}'.");
                AddPair(module, tensor, b);
            }
            else if (!name.EndsWith(B, StringComparison.Ordinal))
            {
                Replace(tensor, name);
            }
            else if (adapter.Find(Prefix + name[..^B.Length] + A) is null)
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The adapter holds '{tensor.Name}' without '{name[..^B.Length] + A}'.");
            }
        }

        if (_pairs.Count == 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, "The adapter holds no matrices of a LoRA.");
        }

        void AddPair(string module, TensorInfo a, TensorInfo b)
        {
            var name = architecture.Rename(module + ".weight");
            var weight = Require(a, name);
            var rank = lora.RankOf(module);
            var turned = architecture.IsTurned(name);
            var fits = a.Shape is [var rankOfA, var columns] && b.Shape is [var rows, var rankOfB] && rankOfA == rank && rankOfB == rank
                && weight.Shape.SequenceEqual(turned ? [columns, rows] : [rows, columns]);
            if (!fits)
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The adapter's matrices of '{module}' are {a.ShapeText} and {b.ShapeText}, which at rank {rank} do not fit the base's weight {weight.ShapeText}.");
            }

            _pairs.Add(weight.Name, new Pair(a, b, lora.ScaleOf(module), turned));
        }

        void Replace(TensorInfo tensor, string name)
        {
            var weight = Require(tensor, architecture.Rename(name));
            if (!weight.Shape.SequenceEqual(tensor.Shape))
            {
                throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The adapter brings its own '{name}' {tensor.ShapeText}; the base's is {weight.ShapeText}. A model that was resized for its adapter must be merged with peft (merge_and_unload) first.");
            }

            _replaced.Add(weight.Name, tensor.Name);
        }

        TensorInfo Require(TensorInfo tensor, string name)
        {
            var weight = stored.GetValueOrDefault(name) ?? throw NoPlace(tensor);
            return config.Ties!.Any(tie => tie.Value == name && tie.Key != name)
                ? throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"The adapter changes '{name}', but the base ties its head to its embedding, so that one of the two alone cannot be changed.")
                : weight;
        }
    }

    public IReadOnlyCollection<TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Aliases => _base.Aliases;

    public TensorInfo? Find(string name) => _base.Find(name);

    public void Read(string name, long offset, Span<float> destination)
    {
        if (_replaced.TryGetValue(name, out var own))
        {
            _adapter.Read(own, offset, destination);
            return;
        }

        _base.Read(name, offset, destination);
        if (_pairs.TryGetValue(name, out var pair))
        {
            lock (_gate)
            {
                if (_held is not { } held || held.Name != name)
                {
                    _held = held = (name, Load(pair));
                }

                held.Update.AddTo(destination, offset);
            }
        }
    }

    private LowRankUpdate Load(Pair pair)
    {
        var (rank, columns, rows) = ((int)pair.A.Shape[0], (int)pair.A.Shape[1], (int)pair.B.Shape[0]);
        var (a, b) = (Values(pair.A), Values(pair.B));
        return pair.IsTurned
            ? new LowRankUpdate(Turn(a, rank, columns), Turn(b, rows, rank), rank, rows, (float)pair.Scale) // [in, rank] [rank, out]
            : new LowRankUpdate(b, a, rank, columns, (float)pair.Scale);                                      // [out, rank] [rank, in]
    }

    private float[] Values(TensorInfo tensor)
    {
        if (tensor.Elements > Array.MaxLength)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"The adapter's '{tensor.Name}' has {tensor.Elements} elements; at most {Array.MaxLength} are read.");
        }

        var values = new float[tensor.Elements];
        _adapter.Read(tensor.Name, 0, values);
        return values;
    }

    private static float[] Turn(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            turned[((i % columns) * rows) + (i / columns)] = values[i];
        }

        return turned;
    }

    private static ModelFormatException NoPlace(TensorInfo tensor) => new(
        ModelFormatProblem.UnsupportedFormat,
        $"The adapter holds '{ModelName.Shorten(tensor.Name)}' {tensor.ShapeText}, which has no place in the base: it is for another model, or of a kind that cannot be merged (embeddings, magnitudes).");
}
