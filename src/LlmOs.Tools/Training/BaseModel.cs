using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using static TorchSharp.torch.nn;

namespace LlmOs.Tools.Training;

/// <summary>A published model that a training goes on with.</summary>
internal static class BaseModel
{
    /// <summary>Its sizes.</summary>
    /// <param name="config">Content of its config.json.</param>
    /// <param name="field">The request's field that named it.</param>
    /// <exception cref="LlmOsException">It is of a layout that is not trained here.</exception>
    public static DecoderSizes SizesOf(ReadOnlyMemory<byte> config, string field)
    {
        var json = ConfigJson.Parse(config, HuggingFaceFolder.ConfigFile);
        switch (json.Text("model_type"))
        {
            case "gpt2" when Gpt2Sizes.Fits(json):
                return Gpt2Sizes.Of(json);
            case "llama" when ModelConfig.Read(json) is var llama && LlamaSizes.Fits(llama):
                return LlamaSizes.Of(llama);
            case var type:
                throw LlmOsException.Invalid(field, $"A training goes on with models of the plain Llama and GPT-2 layouts; this one ('{type}') has biases, head widths, positions or layers that are served but not trained.");
        }
    }

    /// <summary>Puts its weights into a module of its sizes.</summary>
    public static void Load(Module module, string folder)
    {
        using var weights = SafetensorsShards.Open(Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), f)));
        ModuleWeights.Load(module, weights);
    }
}
