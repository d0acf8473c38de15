using System.Numerics.Tensors;
using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>Reads the modules of a sentence-transformers layout that change the vector of a text.</summary>
internal static class SentenceStepReader
{
    private const string Weights = "model.safetensors";

    private static readonly Dictionary<string, Action<float[]>> Activations = new(StringComparer.Ordinal)
    {
        ["Identity"] = _ => { },
        ["Tanh"] = v => TensorPrimitives.Tanh(v, v),
        ["Sigmoid"] = v => TensorPrimitives.Sigmoid<float>(v, v),
        ["ReLU"] = v => TensorPrimitives.Max(v, 0f, v),
    };

    /// <summary>The module's step; null for one that does nothing outside of a training.</summary>
    /// <param name="kind">The last word of its type.</param>
    /// <param name="path">Its folder.</param>
    /// <param name="read">The content of a small file by its path; null when it is not there.</param>
    /// <param name="locate">The place of a file by its path; null when it is not there.</param>
    /// <exception cref="ModelFormatException">It is not implemented, or its files do not fit each other.</exception>
    public static SentenceStep? Read(string kind, string path, Func<string, byte[]?> read, Func<string, string?> locate) => kind switch
    {
        "Normalize" => new NormaliseStep(),
        "Dropout" => null,
        "Dense" => Dense(path, read, locate),
        "LayerNorm" => LayerNorm(path, read, locate),
        "WeightedLayerPooling" => throw Unsupported($"The module 'WeightedLayerPooling' of {SentenceLayoutReader.ModulesFile} weighs the states of all layers, and graphs give out those of the last one alone"),
        _ => throw Unsupported($"{SentenceLayoutReader.ModulesFile} names a module '{kind}', which is not supported; supported: Transformer, Pooling, Dense, LayerNorm, Normalize, Dropout"),
    };

    /// <summary>Whether the module has files of its own, and which.</summary>
    public static IEnumerable<string> FilesOf(string kind, string path) => kind is "Dense" or "LayerNorm" ? [$"{path}/config.json", $"{path}/{Weights}"] : [];

    private static DenseStep Dense(string path, Func<string, byte[]?> read, Func<string, string?> locate)
    {
        var json = Config(path, read);
        foreach (var key in new[] { "module_input_name", "module_output_name" })
        {
            if (json.Text(key) is { } field and not "sentence_embedding")
            {
                throw Unsupported($"{json.File}: {key} is \"{field}\"; only vectors of whole texts, \"sentence_embedding\", are supported");
            }
        }

        var activation = (json.Text("activation_function") ?? "torch.nn.modules.activation.Tanh").Split('.')[^1];
        var activate = Activations.GetValueOrDefault(activation)
            ?? throw Unsupported($"{json.File}: activation_function is '{activation}'; supported: {string.Join(", ", Activations.Keys)}");
        var (inputs, outputs) = (Width(json, "in_features"), Width(json, "out_features"));
        using var weights = Open(path, locate);
        return new DenseStep(
            path,
            Tensor(weights, path, "linear.weight", outputs, inputs),
            json.Flag("bias") ?? true ? Tensor(weights, path, "linear.bias", outputs) : [],
            inputs,
            activate);
    }

    private static LayerNormStep LayerNorm(string path, Func<string, byte[]?> read, Func<string, string?> locate)
    {
        var width = Width(Config(path, read), "dimension");
        using var weights = Open(path, locate);
        return new LayerNormStep(path, Tensor(weights, path, "norm.weight", width), Tensor(weights, path, "norm.bias", width));
    }

    private static ConfigJson Config(string path, Func<string, byte[]?> read)
    {
        var name = $"{path}/config.json";
        return ConfigJson.Parse(read(name) ?? throw Missing(name), name);
    }

    private static SafetensorsFile Open(string path, Func<string, string?> locate)
    {
        var name = $"{path}/{Weights}";
        return SafetensorsFile.Open(locate(name) ?? throw Missing(name), name);
    }

    private static float[] Tensor(SafetensorsFile weights, string path, string name, params long[] shape)
    {
        if (weights.Find(name) is not { IsFloating: true } found || !found.Shape.SequenceEqual(shape))
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{path}/{Weights}: '{name}' must be [{string.Join(", ", shape)}], as {path}/config.json says.");
        }

        var values = new float[found.Elements];
        weights.Read(name, 0, values);
        return values;
    }

    private static int Width(ConfigJson json, string key) => json.Whole(key, 1, 1 << 16) ?? throw json.Missing(key);

    private static ModelFormatException Missing(string name) =>
        new(ModelFormatProblem.MissingFile, $"{SentenceLayoutReader.ModulesFile} names a module whose '{name}' is not there; weights are read from safetensors.");

    private static ModelFormatException Unsupported(string what) => new(ModelFormatProblem.UnsupportedArchitecture, what + ".");
}
