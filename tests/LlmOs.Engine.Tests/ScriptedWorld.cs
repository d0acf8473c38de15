using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Tests;

/// <summary>An engine over a scripted runner that a test can stop in the middle of a run.</summary>
internal sealed class ScriptedWorld : IAsyncDisposable
{
    public const int Vocabulary = 50;

    private static readonly DecoderShape Shape = new(Layers: 2, KvHeads: 2, HeadDim: 1, Vocabulary, ContextLength: 200);

    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _goOn = new(0);

    public ScriptedWorld(EngineOptions options, TimeProvider? clock = null)
    {
        var cache = new SlotCache(Shape, options.Slots, Shape.ContextLength);
        Runner = new ScriptedRunner(cache, Shape);
        Engine = new InferenceEngine(new EngineLoop(Runner, cache, Vocabulary, options, "test"), Shape, options, "cpu", 0, clock ?? TimeProvider.System);
    }

    public ScriptedRunner Runner { get; }

    public InferenceEngine Engine { get; }

    /// <summary>Completes when the loop stands in the run that <see cref="StopAt"/> names.</summary>
    public Task Reached => _reached.Task;

    public T StopAt<T>(Func<ScriptedRun, bool> where, Func<T> start)
    {
        Runner.Before = run =>
        {
            if (where(run))
            {
                _reached.SetResult();
                _goOn.Wait();
            }
        };
        return start();
    }

    public void GoOn() => _goOn.Release();

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
    }
}
