using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>Puts values into a module's weights, by their published names.</summary>
internal static class ModuleWeights
{
    /// <param name="values">Row-major f32 of a weight; asked once for each.</param>
    public static void Set(Module module, Func<string, float[]> values)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            parameter.copy_(tensor(values(name), parameter.shape));
        }
    }

    /// <summary>Sets all weights from a published file, by the names of the module.</summary>
    /// <exception cref="InvalidDataException">The file lacks a weight or has it in another shape.</exception>
    /// <param name="ties">For the names of weights that are one and the same, the name under which that one is read.</param>
    private static void Load(Module module, IWeightSource source, IReadOnlyDictionary<string, string> ties)
    {
        var shapes = module.named_parameters().ToDictionary(p => p.name, p => p.parameter.shape);
        if (ties.Keys.FirstOrDefault(name => !shapes.ContainsKey(name) && ties.All(tie => (tie.Key == name) == (tie.Value == name))) is { } own)
        {
            throw new InvalidDataException($"config.json ties '{own}' to the embedding, but the files hold other values under that name; such a model is served and not trained.");
        }

        Set(module, name =>
        {
            var stored = ties.GetValueOrDefault(name, name);
            var found = source.Find(stored);
            if (found is null || !found.Shape.SequenceEqual(shapes[name]))
            {
                throw new InvalidDataException($"The weight '{name}' is {found?.ShapeText ?? "missing"}; expected is [{string.Join(", ", shapes[name])}].");
            }

            var values = new float[found.Elements];
            source.Read(stored, 0, values);
            return values;
        });
    }

    /// <summary>Sets all weights from the published files of a folder.</summary>
    /// <param name="sizes">Those that the module was made of.</param>
    public static void Load(Module module, DecoderSizes sizes, string folder)
    {
        using var weights = SafetensorsShards.Open(Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), f)));
        var architecture = BaseModel.ArchitectureOf(sizes);
        var config = architecture.ReadConfig(ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, BaseModel.ConfigFile)), BaseModel.ConfigFile));
        Load(module, architecture.Named(weights), architecture.Settle(config, weights).Ties!);
    }
}
