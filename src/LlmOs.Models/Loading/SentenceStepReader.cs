using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>Reads the modules of a sentence-transformers layout that change the vector of a text.</summary>
internal static class SentenceStepReader
{
    private const string Vector = "sentence_embedding";

    /// <summary>The module's step; null for one that does nothing outside of a training.</summary>
    /// <param name="kind">The last word of its type.</param>
    /// <param name="path">Its folder.</param>
    /// <param name="read">The content of a small file by its path; null when it is not there.</param>
    /// <param name="locate">The place of a file by its path; null when it is not there.</param>
    /// <exception cref="ModelFormatException">It is not implemented, or its files do not fit each other.</exception>
    public static SentenceStep? Read(string kind, string path, Func<string, byte[]?> read, Func<string, string?> locate) => kind switch
    {
        "Normalize" => Normalise(path, read),
        "Dropout" => null,
        "Dense" => Dense(path, read, locate),
        "LayerNorm" => LayerNorm(path, read, locate),
        LayerWeightsReader.Kind => throw Unsupported($"The module '{kind}' of {SentenceLayoutReader.ModulesFile} stands behind Pooling, where it changes nothing; it is supported before it"),
        _ => throw Unsupported($"{SentenceLayoutReader.ModulesFile} names a module '{kind}', which is not supported; supported: Transformer, {LayerWeightsReader.Kind}, Pooling, Dense, LayerNorm, Normalize, Dropout"),
    };

    /// <summary>The files of its own that a module needs.</summary>
    public static IEnumerable<string> FilesOf(string kind, string path) =>
        kind is "Dense" or "LayerNorm" or LayerWeightsReader.Kind ? [$"{path}/config.json", $"{path}/{ModuleFiles.Weights}"] : [];

    private static NormaliseStep Normalise(string path, Func<string, byte[]?> read)
    {
        if (read($"{path}/config.json") is { } file) // older versions write none
        {
            RefuseOtherFields(ConfigJson.Parse(file, $"{path}/config.json"));
        }

        return new NormaliseStep();
    }

    private static DenseStep Dense(string path, Func<string, byte[]?> read, Func<string, string?> locate)
    {
        var json = ModuleFiles.Config(path, read);
        RefuseOtherFields(json);
        var activate = DenseActivations.Read(json);
        var (inputs, outputs) = (Width(json, "in_features"), Width(json, "out_features"));
        using var weights = ModuleFiles.Open(path, locate);
        return new DenseStep(
            path,
            ModuleFiles.Tensor(weights, path, "linear.weight", outputs, inputs),
            json.Flag("bias") ?? true ? ModuleFiles.Tensor(weights, path, "linear.bias", outputs) : [],
            inputs,
            activate)
        {
            AddsInput = json.Flag("use_residual") ?? false,
            InputWeight = json.Flag("use_residual") == true && inputs != outputs ? ModuleFiles.Tensor(weights, path, "residual.weight", outputs, inputs) : [],
        };
    }

    private static LayerNormStep LayerNorm(string path, Func<string, byte[]?> read, Func<string, string?> locate)
    {
        var width = Width(ModuleFiles.Config(path, read), "dimension");
        using var weights = ModuleFiles.Open(path, locate);
        return new LayerNormStep(path, ModuleFiles.Tensor(weights, path, "norm.weight", width), ModuleFiles.Tensor(weights, path, "norm.bias", width));
    }

    private static void RefuseOtherFields(ConfigJson json)
    {
        foreach (var key in new[] { "module_input_name", "module_output_name" })
        {
            if (json.Text(key) is { } field and not Vector)
            {
                throw Unsupported($"{json.File}: {key} is \"{field}\"; only vectors of whole texts, \"{Vector}\", are supported");
            }
        }
    }

    private static int Width(ConfigJson json, string key) => json.Whole(key, 1, 1 << 16) ?? throw json.Missing(key);

    private static ModelFormatException Unsupported(string what) => new(ModelFormatProblem.UnsupportedArchitecture, what + ".");
}
