using LlmOs.Engine;
using LlmOs.Models.Generation;
using LlmOs.Models.Zoo;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>A graph that a test wrote, opened by the engine that serves.</summary>
internal sealed class GraphProbe(ServingGraph graph) : IProbeRun
{
    private readonly InferenceEngine _engine = InferenceEngine.Load(
        graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 1, MaxContext = Math.Max(16, graph.Shape.ContextLength) }, EngineDevice.Cpu, TimeProvider.System);

    public Task<float[]> LogitsAsync(int[] ids, CancellationToken cancel) => _engine.LogitsAsync(ids, cancel);

    public async Task<IReadOnlyList<int>> ContinueAsync(int[] ids, int maxTokens, int endToken, CancellationToken cancel)
    {
        var request = new GenerationRequest { PromptTokens = ids, MaxTokens = maxTokens, EndTokens = [endToken], Sampling = new SamplingParameters { Temperature = 0 } };
        return await _engine.Submit(request).Pieces(cancel).Select(piece => piece.Token).ToListAsync(cancel);
    }

    public Task<GenerationUsage> EndAsync() => throw new NotSupportedException();

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
