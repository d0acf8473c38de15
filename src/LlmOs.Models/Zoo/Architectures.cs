using LlmOs.Engine.Execution;
using LlmOs.Engine.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>One architecture that can be served.</summary>
/// <param name="ModelType"><c>model_type</c> of its config.json.</param>
/// <param name="ClassName"><c>architectures[0]</c> of its config.json.</param>
public sealed record Architecture(
    string ModelType,
    string ClassName,
    Func<ConfigJson, ModelConfig> ReadConfig,
    Func<ModelConfig, IReadOnlyList<TensorInfo>> Weights,
    Action<ModelConfig, IWeightSource> CheckWeights,
    Func<ModelConfig, DecoderShape> Shape,
    Func<ModelConfig, IWeightSource, string, CancellationToken, ServingGraph> WriteGraph);

/// <summary>The architectures that can be served, by the names their configurations use.</summary>
public static class Architectures
{
    /// <summary>Raised whenever a graph written from the same files would differ; graphs kept from before are then rebuilt.</summary>
    public const int BuilderVersion = 1;

    public static IReadOnlyList<Architecture> All { get; } =
    [
        new("llama", "LlamaForCausalLM", ModelConfig.Read, LlamaWeights.Of, LlamaWeights.Check, LlamaGraph.ShapeOf, LlamaGraph.Write),
    ];

    /// <summary>The architecture that a config.json names.</summary>
    /// <exception cref="ModelFormatException">It names none, or one that is not in <see cref="All"/>.</exception>
    public static Architecture Of(ConfigJson config)
    {
        var type = config.Text("model_type") ?? throw config.Missing("model_type");
        var names = config.Texts("architectures");
        var className = names.Count > 0 ? names[0] : throw config.Missing("architectures");
        return All.FirstOrDefault(a => a.ModelType == type && a.ClassName == className)
            ?? throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture,
                $"The architecture {className} (model_type '{type}') is not supported; supported: {string.Join(", ", All.Select(a => a.ClassName))}.");
    }
}
