using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;

namespace LlmOs.Tools.Training;

/// <summary>A published model that a training goes on with.</summary>
internal static class BaseModel
{
    public const string ConfigFile = "config.json";

    /// <summary>Its sizes.</summary>
    /// <param name="config">Content of its config.json.</param>
    /// <param name="field">The request's field that named it.</param>
    /// <exception cref="LlmOsException">It is of a layout that is not trained here.</exception>
    public static DecoderSizes SizesOf(ReadOnlyMemory<byte> config, string field)
    {
        var json = ConfigJson.Parse(config, ConfigFile);
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
}
