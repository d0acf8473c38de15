using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>Reads the module WeightedLayerPooling of a sentence-transformers layout.</summary>
internal static class LayerWeightsReader
{
    public const string Kind = "WeightedLayerPooling";

    private const string Option = "output_hidden_states";

    /// <summary>What is added to the configuration where the model is loaded, by old names and new ones.</summary>
    private static readonly string[] Additions = ["config_args", "config_kwargs", "model_args", "model_kwargs"];

    /// <param name="path">The module's folder.</param>
    /// <param name="read">The content of a small file by its path; null when it is not there.</param>
    /// <param name="locate">The place of a file by its path; null when it is not there.</param>
    /// <exception cref="ModelFormatException">Its files do not fit each other, or the model's do not say that layers are given out.</exception>
    public static LayerWeights Read(string path, Func<string, byte[]?> read, Func<string, string?> locate)
    {
        var json = ModuleFiles.Config(path, read);
        var (first, layers) = (json.Whole("layer_start", 0, 4096) ?? 4, json.Whole("num_hidden_layers", 1, 4096) ?? 12);
        if (first > layers)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: layer_start is {first}, and there are {layers} layers.");
        }

        if (!GivesLayers(read))
        {
            // sentence-transformers then leaves the module out without a word, or fails at it, by its version.
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{SentenceLayoutReader.ModulesFile} names a module '{Kind}', and config.json does not say \"{Option}\": true, without which it does nothing.");
        }

        using var weights = ModuleFiles.Open(path, locate);
        var values = ModuleFiles.Tensor(weights, path, "layer_weights", layers + 1 - first);
        return values.Sum(v => (double)v) != 0
            ? new LayerWeights(json.File, first, values)
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{path}/{ModuleFiles.Weights}: the weights of the layers sum to nought.");
    }

    /// <summary>Whether the model's configuration, or what is added to it where it is loaded, asks for the states of all layers.</summary>
    private static bool GivesLayers(Func<string, byte[]?> read)
    {
        if (read("config.json") is { } config && ConfigJson.Parse(config, "config.json").Flag(Option) == true)
        {
            return true;
        }

        return read(SentenceLayoutReader.LimitFile) is { } file && ConfigJson.Parse(file, SentenceLayoutReader.LimitFile) is var json
            && Array.Exists(Additions, section => json.Section(section)?.Flag(Option) == true);
    }
}
