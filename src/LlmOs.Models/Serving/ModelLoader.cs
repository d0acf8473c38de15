using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Serving;

/// <summary>Makes a version ready to answer: graph, engine, tokenizer, chat template.</summary>
internal sealed class ModelLoader(ServingGraphs graphs, ModelTexts texts, TokenizerShelf shelf, LlmOsSettings settings, IOptions<EngineOptions> options, TimeProvider clock)
{
    /// <summary>Checks a version's files against their hashes and says what loading it takes.</summary>
    public async Task<LoadPlan<LoadedModel>> PrepareAsync(ServableModel model, CancellationToken cancel)
    {
        var graph = await graphs.OpenAsync(model.Files, cancel);
        var (endTokens, beginToken) = await texts.ReadIdsAsync(model, cancel);
        var tokenizer = await shelf.OfAsync(model, cancel);
        var chat = await texts.ReadChatAsync(model, cancel);
        var engine = options.Value;
        var context = Math.Min(graph.Shape.ContextLength, engine.MaxContext);
        var bytes = (graph.Shape.KvBytesPerToken * context * engine.Slots) + FolderBytes(graph.OnnxPath);
        return new LoadPlan<LoadedModel>(bytes, () => new LoadedModel(
            model.Reference,
            Open(() => InferenceEngine.Load(graph.OnnxPath, graph.Shape, engine, Device, clock)),
            tokenizer,
            tokenizer is null ? null : new ChatPrompts(tokenizer, chat, clock),
            endTokens,
            beginToken));
    }

    private EngineDevice Device => settings.Device switch
    {
        DeviceChoice.Auto => EngineDevice.Auto,
        DeviceChoice.Cpu => EngineDevice.Cpu,
        DeviceChoice.Cuda => EngineDevice.Cuda,
    };

    private static InferenceEngine Open(Func<InferenceEngine> load)
    {
        try
        {
            return load();
        }
        catch (EngineDeviceException fault)
        {
            throw new LlmOsException(ErrorCode.Unavailable, fault.Message, fault) { Hint = "Set LLMOS_DEVICE to 'cpu' or 'auto', or install what the message names." };
        }
    }

    private static long FolderBytes(string graphPath) =>
        new FileInfo(graphPath).Directory!.EnumerateFiles().Sum(file => file.Length);
}
