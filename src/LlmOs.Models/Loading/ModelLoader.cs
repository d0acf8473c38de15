using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Prompts;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Loading;

/// <summary>Makes a version ready to answer: graph, engine, tokenizer, chat template.</summary>
internal sealed class ModelLoader(ServingGraphs graphs, ModelTexts texts, MemoryBudget budget, TokenizerShelf shelf, LlmOsSettings settings, IOptions<EngineOptions> options, ServingMetrics metrics, ILogger<ModelLoader> log, TimeProvider clock)
{
    /// <summary>The share of a load that is over when its graph is there.</summary>
    private const double GraphShare = 0.8;

    /// <summary>Checks a version's files against their hashes and says what loading it takes.</summary>
    /// <param name="progress">0 to 1.</param>
    public async Task<LoadPlan<LoadedGraph>> PrepareAsync(ServableModel model, IProgress<double> progress, CancellationToken cancel)
    {
        // Before gigabytes are read: what can never fit is refused at once.
        var (architecture, config) = await texts.ReadConfigAsync(model, cancel);
        budget.Check(budget.Estimate(architecture, config, model.Precision));
        var graph = await graphs.OpenAsync(model.Files, model.Precision, cancel, done => progress.Report(GraphShare * done));
        progress.Report(GraphShare);
        return graph switch
        {
            EncoderGraph encoder => await PrepareAsync(model, encoder, cancel),
            ServingGraph decoder => await PrepareAsync(model, decoder, cancel),
            var other => throw new InvalidOperationException($"A graph of the kind {other.GetType().Name} cannot be loaded."),
        };
    }

    private async Task<LoadPlan<LoadedGraph>> PrepareAsync(ServableModel model, EncoderGraph graph, CancellationToken cancel)
    {
        var tokenizer = await shelf.OfAsync(model, cancel);
        var layout = await texts.ReadSentenceLayoutAsync(model, cancel);
        var labels = await texts.ReadLabelsAsync(model, cancel);
        var limit = await texts.ReadTokenizerLimitAsync(model, cancel);
        // Every token's score for every other is in memory at once, so a long text costs by the square of its length.
        var shape = graph.Shape with { MaxTokens = Math.Min(graph.Shape.MaxTokens, options.Value.MaxContext) };
        return new LoadPlan<LoadedGraph>(FolderBytes(graph.OnnxPath), () => new LoadedEncoder(
            model.Reference,
            Open(() => EncoderEngine.Load(graph.OnnxPath, shape, options.Value, Device, new EngineWatch(model.Reference, metrics, log), clock)),
            tokenizer,
            layout,
            labels,
            limit));
    }

    private async Task<LoadPlan<LoadedGraph>> PrepareAsync(ServableModel model, ServingGraph graph, CancellationToken cancel)
    {
        var engine = options.Value;
        var (endTokens, beginToken) = await texts.ReadIdsAsync(model, cancel);
        var generation = await texts.ReadGenerationAsync(model, cancel);
        var limit = await texts.ReadTokenizerLimitAsync(model, cancel);
        var tokenizer = await shelf.OfAsync(model, cancel);
        var chat = await texts.ReadChatAsync(model, cancel);
        var context = Math.Min(graph.Shape.ContextLength, engine.MaxContext);
        var bytes = (graph.Shape.KvBytesPerToken * context * engine.Slots) + (graph.Shape.SourceBytesPerSlot * engine.Slots) + FolderBytes(graph.OnnxPath);
        return new LoadPlan<LoadedGraph>(bytes, () => new LoadedModel(
            model.Reference,
            Open(() => InferenceEngine.Load(graph.OnnxPath, graph.Shape, engine, Device, new EngineWatch(model.Reference, metrics, log), clock)),
            tokenizer,
            tokenizer is null ? null : new ChatPrompts(tokenizer, chat, clock),
            endTokens,
            beginToken,
            generation,
            limit));
    }

    private EngineDevice Device => settings.Device switch
    {
        DeviceChoice.Auto => EngineDevice.Auto,
        DeviceChoice.Cpu => EngineDevice.Cpu,
        DeviceChoice.Cuda => EngineDevice.Cuda,
    };

    /// <summary>Opens an engine; what keeps it from that becomes a refusal.</summary>
    internal static T Open<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (EngineDeviceException fault)
        {
            throw new LlmOsException(ErrorCode.Unavailable, fault.Message, fault) { Hint = "Set LLMOS_DEVICE to 'cpu' or 'auto', or install what the message names." };
        }
        catch (EngineGraphException fault)
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"The model cannot be loaded: {fault.Message}", fault) { Field = "model", Hint = "Import it again. Where that gives the same, the graph is one that this server cannot run." };
        }
        catch (Exception fault) when (fault is EngineMemoryException or OutOfMemoryException)
        {
            throw new LlmOsException(ErrorCode.OutOfMemory, $"The model does not fit into memory: {fault.Message}", fault)
            {
                Hint = "Import it at int8 or int4, lower Engine:Slots or Engine:MaxContext, or try again when other models have been unloaded.",
            };
        }
    }

    private static long FolderBytes(string graphPath) =>
        new FileInfo(graphPath).Directory!.EnumerateFiles().Sum(file => file.Length);
}
