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
        var type = json.Text("model_type");
        var layout = Architectures.Trainable.FirstOrDefault(a => a.ModelType == type)?.Training;
        return layout?.OfConfig(json) ?? throw LlmOsException.Invalid(
            field,
            $"A training goes on with models of the plain {string.Join(" and ", Architectures.Trainable.Select(a => a.Training!.Title))} layouts; this one ('{type}') has biases, head widths, positions or layers that are served but not trained.");
    }

    /// <summary>The architecture that serves a model of these sizes.</summary>
    public static Architecture ArchitectureOf(DecoderSizes sizes) => Architectures.Trainable.Single(a => a.ModelType == sizes.ModelType);
}
