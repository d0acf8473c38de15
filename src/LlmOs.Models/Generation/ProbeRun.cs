using LlmOs.Engine;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Generation;

/// <summary>A graph that nobody serves yet, opened for one caller alone.</summary>
internal sealed class ProbeRun : IProbeRun
{
    private readonly InferenceEngine _engine;
    private readonly RunTotal _total = new();
    private readonly RunEnd _end;

    private ProbeRun(InferenceEngine engine, Func<GenerationUsage, Task> record)
    {
        _engine = engine;
        _end = new RunEnd(
            async () =>
            {
                var usage = await _total.EndAsync().ConfigureAwait(false);
                await engine.DisposeAsync().ConfigureAwait(false);
                return GenerationUsage.Of(usage, load: TimeSpan.Zero);
            },
            record,
            held: null);
    }

    public static ProbeRun Open(ServingGraph graph, TimeProvider clock, Func<GenerationUsage, Task> record)
    {
        var options = new EngineOptions { Slots = 1, MaxContext = Math.Max(16, graph.Shape.ContextLength) };
        return new ProbeRun(InferenceEngine.Load(graph.OnnxPath, graph.Shape, options, EngineDevice.Cpu, clock), record);
    }

    public Task<float[]> LogitsAsync(int[] ids, CancellationToken cancel) => _total.RunAsync(_engine.SubmitLogits(ids, source: []), cancel);

    public async Task<IReadOnlyList<int>> ContinueAsync(int[] ids, int maxTokens, int endToken, CancellationToken cancel)
    {
        var request = new GenerationRequest
        {
            PromptTokens = ids,
            MaxTokens = maxTokens,
            EndTokens = [endToken],
            Sampling = new SamplingParameters { Temperature = 0 },
        };
        return await _total.ReadAsync(_engine.Submit(request), cancel).ConfigureAwait(false);
    }

    public Task<GenerationUsage> EndAsync() => _end.Task;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);
}
