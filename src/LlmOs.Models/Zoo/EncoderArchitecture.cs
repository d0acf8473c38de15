using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>An encoder with one of the heads that can be served.</summary>
/// <param name="Head">What its logits are.</param>
/// <param name="HasTypes">Whether tokens have segment numbers.</param>
/// <param name="HasPooler">Whether it gives out a pooled state.</param>
internal sealed record EncoderArchitecture(
    string ModelType,
    string ClassName,
    EncoderHead Head,
    bool HasTypes,
    bool HasPooler,
    Func<ConfigJson, ModelConfig> ReadConfig,
    Action<EncoderWriter> Build)
    : Architecture(ModelType, ClassName, ReadConfig)
{
    public override string Task => Head switch
    {
        EncoderHead.None => "feature-extraction",
        EncoderHead.Tokens => "fill-mask",
        EncoderHead.TextLabels => "text-classification",
        EncoderHead.TokenLabels => "token-classification",
        EncoderHead.Spans => "question-answering",
    };

    /// <summary>Width of a sentence's vector that the graph makes; 0: it makes none.</summary>
    public Func<ModelConfig, int> SentenceWidth { get; init; } = _ => 0;

    public EncoderShape Shape(ModelConfig config) => new(
        config.Hidden,
        config.Vocabulary,
        config.ContextLength,
        Head,
        Head is EncoderHead.TextLabels or EncoderHead.TokenLabels ? config.Labels.Count : 0,
        HasTypes && config.TypeVocabulary > 0,
        HasPooler,
        config.PadToken ?? 0)
    {
        HasSentenceStates = config.LayerWeights is not null,
        SentenceWidth = SentenceWidth(config),
    };

    public override EncoderGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel) =>
        WriteGraph(config, weights, precision, folder, withStates: false, cancel);

    public override ModelGraph GraphAt(string folder, ModelConfig config, WeightPrecision precision) => new EncoderGraph(Path.Combine(folder, OnnxGraph.FileName), Shape(config));

    /// <summary>The graph, on demand with its hidden states as outputs.</summary>
    internal EncoderGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, bool withStates, CancellationToken cancel)
    {
        config = config.Ties is null ? Settle(config, weights) : config;
        CheckWeights(config, weights);
        using var graph = new OnnxGraph(ModelType, folder);
        Build(new EncoderWriter(new GraphWriter(graph, View(weights), TiesOf(config), precision, cancel), config, withStates, Shape(config).HasTypes));
        return new EncoderGraph(graph.Save(), Shape(config));
    }

    public override IReadOnlyList<TensorInfo> Weights(ModelConfig config)
    {
        using var sketch = OnnxGraph.Sketch();
        var writer = new GraphWriter(sketch, weights: null, TiesOf(config), WeightPrecision.F32, CancellationToken.None);
        Build(new EncoderWriter(writer, config, withStates: false, Shape(config).HasTypes));
        return writer.Needed;
    }
}
