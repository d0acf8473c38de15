using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Encoders;

namespace LlmOs.Models.Zoo.Onnx;

/// <summary>An encoder that is served with the graph it was published with. Its configuration may be of a class that nobody here knows.</summary>
/// <param name="Source">The graph's file, or null where the configuration alone is known.</param>
internal sealed record ForeignEncoder(string ModelType, string ClassName, LayoutGraph? Source, ConfigJson Json)
    : Architecture(ModelType, ClassName, ConfigOf)
{
    public override string Task => Use(graph => graph.Head) switch
    {
        EncoderHead.TextLabels => "text-classification",
        EncoderHead.TokenLabels => "token-classification",
        EncoderHead.Spans => "question-answering",
        _ => "feature-extraction",
    };

    public long Parameters => Use(graph => graph.Parameters);

    /// <param name="source">Null where the configuration alone is known.</param>
    public static ForeignEncoder Of(ConfigJson json, LayoutGraph? source)
    {
        var type = json.Text("model_type") ?? throw json.Missing("model_type");
        return new ForeignEncoder(type, json.Texts("architectures") is [var name, ..] && name.Length <= 120 ? name : type, source, json);
    }

    public override ModelGraph GraphAt(string folder, ModelConfig config, WeightPrecision precision) => new EncoderGraph(Path.Combine(folder, OnnxGraph.FileName), Use(graph => ShapeOf(graph, config)));

    /// <summary>They are in the graph, under names that mean nothing to others.</summary>
    public override IReadOnlyList<TensorInfo> Weights(ModelConfig config) => [];

    public override ModelGraph WriteGraph(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel)
    {
        using (var graph = Open())
        {
            foreach (var file in graph.ExternalFiles)
            {
                cancel.ThrowIfCancellationRequested();
                File.Copy(Source!.External[file], Path.Combine(folder, file));
            }

            graph.Write(Path.Combine(folder, OnnxGraph.FileName));
        }

        return GraphAt(folder, config, precision);
    }

    /// <exception cref="ModelFormatException">Graph, files and configuration do not fit each other.</exception>
    public void Check(ModelConfig config) => Use(graph =>
    {
        if (graph.ExternalFiles.FirstOrDefault(file => !Source!.External.ContainsKey(file)) is { } absent)
        {
            throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{Source!.Name} names the weights '{absent}', which are not beside it.");
        }

        return ShapeOf(graph, config);
    });

    private static EncoderShape ShapeOf(ForeignGraph graph, ModelConfig config)
    {
        if (graph.Labels is { } labels && labels != config.Labels.Count)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"The graph has {labels} labels, config.json names {config.Labels.Count}.");
        }

        return new EncoderShape(
            (int)Math.Min(graph.Hidden ?? config.Hidden, 1 << 18),
            config.Vocabulary,
            config.ContextLength,
            graph.Head,
            graph.Head is EncoderHead.TextLabels or EncoderHead.TokenLabels ? config.Labels.Count : 0,
            graph.HasTypes,
            HasPooler: false,
            config.PadToken ?? 0)
        {
            HasStates = graph.HasStates,
            SentenceWidth = graph.SentenceWidth,
        };
    }

    /// <summary>The few numbers that the engine needs; everything else is in the graph.</summary>
    private static ModelConfig ConfigOf(ConfigJson json)
    {
        var type = json.Text("model_type") ?? throw json.Missing("model_type");
        // RoBERTa's family counts positions after the padding id.
        var unused = type is "roberta" or "xlm-roberta" or "camembert" or "mpnet" ? 2 : 0;
        return new ModelConfig
        {
            ModelType = type,
            Architecture = json.Texts("architectures") is [var name, ..] ? name : type,
            Hidden = json.Whole("hidden_size", 1, 1 << 18) ?? json.Whole("dim", 1, 1 << 18) ?? throw json.Missing("hidden_size"),
            Intermediate = 1,
            Layers = 1,
            Heads = 1,
            KvHeads = 1,
            HeadDim = 1,
            Vocabulary = json.Whole("vocab_size", 1, 1 << 24) ?? throw json.Missing("vocab_size"),
            ContextLength = (json.Whole("max_position_embeddings", unused + 1, ModelConfig.MaxContextLength) ?? throw json.Missing("max_position_embeddings")) - unused,
            PadToken = json.Whole("pad_token_id", -1, int.MaxValue) is { } pad and >= 0 ? pad : null,
            Labels = EncoderConfigs.Labels(json),
        };
    }

    private T Use<T>(Func<ForeignGraph, T> read)
    {
        using var graph = Open();
        return read(graph);
    }

    private ForeignGraph Open() => ForeignGraph.Open(Source?.Path ?? throw new InvalidOperationException("The graph's file is not at hand."), Source.Name, Json);
}

/// <summary>A published graph: its name, its place, and the files beside it by their names.</summary>
internal sealed record LayoutGraph(string Name, string Path, IReadOnlyDictionary<string, string> External);
