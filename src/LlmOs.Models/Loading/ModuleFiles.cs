using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>The files of one module of a sentence-transformers layout, in its folder.</summary>
internal static class ModuleFiles
{
    public const string Weights = "model.safetensors";

    public static ConfigJson Config(string path, Func<string, byte[]?> read)
    {
        var name = $"{path}/config.json";
        return ConfigJson.Parse(read(name) ?? throw Missing(name), name);
    }

    public static SafetensorsFile Open(string path, Func<string, string?> locate)
    {
        var name = $"{path}/{Weights}";
        return SafetensorsFile.Open(locate(name) ?? throw Missing(name), name);
    }

    public static float[] Tensor(SafetensorsFile weights, string path, string name, params long[] shape)
    {
        if (weights.Find(name) is not { IsFloating: true } found || !found.Shape.SequenceEqual(shape))
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{path}/{Weights}: '{name}' must be [{string.Join(", ", shape)}], as {path}/config.json says.");
        }

        var values = new float[found.Elements];
        weights.Read(name, 0, values);
        return values;
    }

    private static ModelFormatException Missing(string name) =>
        new(ModelFormatProblem.MissingFile, $"{SentenceLayoutReader.ModulesFile} names a module whose '{name}' is not there; weights are read from safetensors.");
}
