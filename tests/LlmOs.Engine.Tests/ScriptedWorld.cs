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

    private readonly SlotCache _cache;

    /// <param name="open">Called in place of opening a runner anew; the default gives a fresh one of the same kind.</param>
    public ScriptedWorld(EngineOptions options, TimeProvider? clock = null, Action? open = null)
    {
        _cache = new SlotCache(Shape, options.Slots, Shape.ContextLength);
        Runner = new ScriptedRunner(_cache, Shape);
        Loop = new EngineLoop(Runner, () => OpenAnew(open), _cache, Vocabulary, options, "test", Observer, clock ?? TimeProvider.System);
        Engine = new InferenceEngine(Loop, Shape, options, "cpu", 0, clock ?? TimeProvider.System);
    }

    /// <summary>The runner that works now.</summary>
    public ScriptedRunner Runner { get; private set; }

    public EngineLoop Loop { get; }

    public RecordingObserver Observer { get; } = new();

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

    private ScriptedRunner OpenAnew(Action? open)
    {
        open?.Invoke();
        Runner = new ScriptedRunner(_cache, Shape, Runner);
        return Runner;
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
    }
}
