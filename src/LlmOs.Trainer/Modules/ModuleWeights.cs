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
    private static void Load(Module module, IWeightSource source)
    {
        var shapes = module.named_parameters().ToDictionary(p => p.name, p => p.parameter.shape);
        Set(module, name =>
        {
            var found = source.Find(name);
            if (found is null || !found.Shape.SequenceEqual(shapes[name]))
            {
                throw new InvalidDataException($"The weight '{name}' is {found?.ShapeText ?? "missing"}; expected is [{string.Join(", ", shapes[name])}].");
            }

            var values = new float[found.Elements];
            source.Read(name, 0, values);
            return values;
        });
    }

    /// <summary>Sets all weights from the published files of a folder.</summary>
    /// <param name="sizes">Those that the module was made of.</param>
    public static void Load(Module module, DecoderSizes sizes, string folder)
    {
        using var weights = SafetensorsShards.Open(Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), f)));
        Load(module, BaseModel.ArchitectureOf(sizes).Named(weights));
    }
}
