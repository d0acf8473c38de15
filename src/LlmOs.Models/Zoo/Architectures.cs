using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Decoders;
using LlmOs.Models.Zoo.Encoders;
using LlmOs.Models.Zoo.Seq2Seq;

namespace LlmOs.Models.Zoo;

/// <summary>The architectures that can be served, by the names their configurations use.</summary>
public static class Architectures
{
    /// <summary>Raised whenever a graph written from the same files would differ; graphs kept from before are then rebuilt.</summary>
    public const int BuilderVersion = 4;

    public static IReadOnlyList<Architecture> All { get; } =
    [
        LlamaGraph.Architecture,
        Gpt2.Architecture,
        GptNeo.Architecture,
        GptNeoX.Architecture,
        Phi.Architecture,
        Phi3.Architecture,
        Mistral.Architecture,
        Qwen2.Architecture,
        Qwen3.Architecture,
        Olmo2.Architecture,
        SmolLm3.Architecture,
        Granite.Architecture,
        Cohere.Architecture,
        StableLm.Architecture,
        Falcon.Architecture,
        Bloom.Architecture,
        .. Mpt.Architectures,
        Opt.Architecture,
        Gemma.Architecture,
        Gemma2.Architecture,
        Gemma3.Architecture,
        Mixtral.Architecture,
        Qwen3Moe.Architecture,
        .. Bert.Architectures,
        .. Roberta.Architectures,
        .. DistilBert.Architectures,
        .. Electra.Architectures,
        .. Albert.Architectures,
        .. MpNet.Architectures,
        .. ModernBert.Architectures,
        .. DebertaV2.Architectures,
        .. Deberta.Architectures,
        .. ClipText.Architectures,
        .. T5.Architectures,
        .. Bart.Architectures,
    ];

    /// <summary>Those that can be trained; each has a <c>model_type</c> of its own.</summary>
    public static IReadOnlyList<Architecture> Trainable { get; } = [.. All.Where(a => a.Training is not null)];

    /// <summary>The encoder without a head of the family that a config.json names, or null.</summary>
    public static Architecture? BodyOf(ConfigJson config) =>
        All.OfType<EncoderArchitecture>().FirstOrDefault(a => a.Head == EncoderHead.None && a.ModelType == config.Text("model_type"));

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
                $"The architecture {className} (model_type '{type}') is not supported; supported: {string.Join(", ", All.Select(a => a.ClassName).Distinct())}.");
    }
}
