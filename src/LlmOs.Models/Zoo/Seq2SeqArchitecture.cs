using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>
/// An encoder-decoder: the encoder's graph gives the keys and values that each decoder layer looks at, the decoder's graph is
/// run like any decoder's.
/// </summary>
internal sealed record Seq2SeqArchitecture(
    string ModelType, string ClassName, Func<ConfigJson, ModelConfig> ReadConfig, Action<EncoderWriter> BuildEncoder, Action<DecoderWriter> BuildDecoder)
    : Architecture(ModelType, ClassName, ReadConfig)
{
    public override string Task => "text2text-generation";

    public static DecoderShape ShapeOf(ModelConfig config)
    {
        var decoder = DecoderOf(config);
        return new(decoder.Layers, decoder.KvHeads, HeadLayout.StoredWidth(decoder.HeadDim), config.Vocabulary, config.ContextLength)
        {
            Cross = new CrossShape(decoder.Heads, decoder.HeadDim, config.Seq2Seq!.MaxSource, config.Vocabulary, config.PadToken ?? 0),
        };
    }

    public override ModelGraph GraphAt(string folder, ModelConfig config, WeightPrecision precision) =>
        new ServingGraph(Path.Combine(folder, OnnxGraph.FileName), ShapeOf(config).At(precision));

    public override ServingGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel) =>
        WriteGraph(config, weights, precision, folder, withStates: false, cancel);

    internal ServingGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, bool withStates, CancellationToken cancel)
    {
        config = config.Ties is null ? Settle(config, weights) : config;
        CheckWeights(config, weights);
        var view = View(weights);
        using (var encoder = new OnnxGraph(ModelType + " encoder", folder, DecoderGraph.EncoderFile, "encoder.bin"))
        {
            BuildEncoder(new EncoderWriter(new GraphWriter(encoder, view, TiesOf(config), precision, cancel), config, withStates, types: false));
            encoder.Save();
        }

        using var decoder = new OnnxGraph(ModelType, folder);
        BuildDecoder(new DecoderWriter(new GraphWriter(decoder, view, TiesOf(config), precision, cancel), DecoderOf(config), withStates));
        return new ServingGraph(decoder.Save(), ShapeOf(config).At(precision));
    }

    public override IReadOnlyList<TensorInfo> Weights(ModelConfig config)
    {
        using var sketch = OnnxGraph.Sketch();
        var writer = new GraphWriter(sketch, weights: null, TiesOf(config), WeightPrecision.F32, CancellationToken.None);
        BuildEncoder(new EncoderWriter(writer, config, withStates: false, types: false));
        BuildDecoder(new DecoderWriter(writer, DecoderOf(config), withStates: false));
        return writer.Needed;
    }

    /// <summary>The configuration with the decoder's numbers in the common places.</summary>
    private static ModelConfig DecoderOf(ModelConfig config) => config with
    {
        Layers = config.Seq2Seq!.DecoderLayers,
        Heads = config.Seq2Seq.DecoderHeads,
        KvHeads = config.Seq2Seq.DecoderHeads,
        HeadDim = config.Seq2Seq.DecoderHeadDim,
        Intermediate = config.Seq2Seq.DecoderIntermediate,
    };
}
