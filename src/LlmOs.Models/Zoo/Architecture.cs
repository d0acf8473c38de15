using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>One architecture that can be served: how its configuration is read, and how its graph is put together.</summary>
/// <param name="ModelType"><c>model_type</c> of its config.json.</param>
/// <param name="ClassName"><c>architectures[0]</c> of its config.json.</param>
/// <param name="ReadConfig">Refuses what it does not implement by name.</param>
/// <param name="Build">Calls the blocks in their order; the weights that it uses are the weights that a model must have.</param>
internal sealed record DecoderArchitecture(string ModelType, string ClassName, Func<ConfigJson, ModelConfig> ReadConfig, Action<DecoderWriter> Build)
    : Architecture(ModelType, ClassName, ReadConfig)
{
    public override string Task => "text-generation";

    /// <summary>What the engine must know of the graph.</summary>
    public static DecoderShape ShapeOf(ModelConfig config) =>
        new(config.Layers, config.KvHeads, HeadLayout.StoredWidth(config.HeadDim), config.Vocabulary, config.ContextLength);

    public override ServingGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel) =>
        WriteGraph(config, weights, precision, folder, withStates: false, cancel);

    public override ModelGraph GraphAt(string folder, ModelConfig config, WeightPrecision precision) =>
        new ServingGraph(Path.Combine(folder, OnnxGraph.FileName), ShapeOf(config).At(precision));

    /// <summary>The graph, on demand with its hidden states as outputs.</summary>
    internal ServingGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, bool withStates, CancellationToken cancel)
    {
        config = config.Ties is null ? Settle(config, weights) : config;
        CheckWeights(config, weights);
        using var graph = new OnnxGraph(ModelType, folder);
        Build(new DecoderWriter(new GraphWriter(graph, View(weights), TiesOf(config), precision, cancel), config, withStates));
        return new ServingGraph(graph.Save(), ShapeOf(config).At(precision));
    }

    public override IReadOnlyList<TensorInfo> Weights(ModelConfig config)
    {
        using var sketch = OnnxGraph.Sketch();
        var writer = new GraphWriter(sketch, weights: null, TiesOf(config), WeightPrecision.F32, CancellationToken.None);
        Build(new DecoderWriter(writer, config, withStates: false));
        return writer.Needed;
    }
}

/// <summary>What every kind of architecture answers.</summary>
public abstract record Architecture(string ModelType, string ClassName, Func<ConfigJson, ModelConfig> ReadConfig)
{
    /// <summary>Brings a stored weight's name to the spelling of the newest published files.</summary>
    internal Func<string, string> Rename { get; init; } = name => name;

    /// <summary>Whether a matrix is stored [in, out].</summary>
    internal Func<string, bool> IsTurned { get; init; } = _ => false;

    /// <summary>
    /// Weights that some files carry and nothing here reads (derived buffers, heads of other tasks): ends of their names, or
    /// beginnings where a star follows.
    /// </summary>
    internal IReadOnlyList<string> LeftOver { get; init; } = [];

    /// <summary>Groups of weights that may be one and the same, by all the names under which it is asked for.</summary>
    internal Func<ModelConfig, IReadOnlyList<IReadOnlyList<string>>> Ties { get; init; } = _ => [];

    /// <summary>How it is trained; null where it is only served.</summary>
    public TrainableLayout? Training { get; init; }

    /// <summary>The pipeline task that its models are for.</summary>
    public abstract string Task { get; }

    /// <summary>The graph that lies in a folder, written there before from a model of this configuration.</summary>
    public abstract ModelGraph GraphAt(string folder, ModelConfig config, WeightPrecision precision);

    /// <summary>Every weight that a model of this configuration has, matrices as [out, in].</summary>
    public abstract IReadOnlyList<TensorInfo> Weights(ModelConfig config);

    /// <summary>Writes the graph and its weights into an existing, empty folder.</summary>
    /// <exception cref="ModelFormatException">The weights do not fit the configuration.</exception>
    public abstract ModelGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel);

    /// <summary>The configuration with what only the files tell: which weights are one and the same.</summary>
    public ModelConfig Settle(ModelConfig config, IWeightSource weights) => config with { Ties = WeightTies.Of(Ties(config), View(weights)) };

    /// <summary>The name under which each tied weight is read.</summary>
    internal IReadOnlyDictionary<string, string> TiesOf(ModelConfig config) => config.Ties ?? WeightTies.Assumed(Ties(config));

    /// <exception cref="ModelFormatException">Weights are missing, left over or of another shape; the message names them.</exception>
    public void CheckWeights(ModelConfig config, IWeightSource weights)
    {
        var ties = TiesOf(config);
        WeightMap.Check(Weights(config), View(weights), name =>
            ties.ContainsKey(name) || LeftOver.Any(part => part.EndsWith('*') ? name.StartsWith(part[..^1], StringComparison.Ordinal) : name.EndsWith(part, StringComparison.Ordinal)));
    }

    /// <summary>Published weights under the names of this architecture, in the order in which they are stored.</summary>
    public IWeightSource Named(IWeightSource weights) => new WeightView(weights, Rename, _ => false);

    internal IWeightSource View(IWeightSource weights) => new WeightView(weights, Rename, IsTurned);
}
