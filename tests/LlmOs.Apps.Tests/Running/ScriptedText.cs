using System.Runtime.CompilerServices;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Apps.Tests.Running;

/// <summary>A model that says what a test wrote down, and notes what it was asked.</summary>
internal sealed class ScriptedText(params string[] pieces) : IGenerationService
{
    /// <summary>The model string that was looked up last.</summary>
    public string? Name { get; private set; }

    public GenerationOrder? Asked { get; private set; }

    public GenerationCaller? Caller { get; private set; }

    /// <summary>Runs that have been ended.</summary>
    public int Ended { get; private set; }

    public Task<ServableModel> FindAsync(string? name, ModelNeed need, string field, CancellationToken cancel)
    {
        Assert.Equal(ModelNeed.Continuing, need);
        Name = name;
        return Task.FromResult(new ServableModel("starter", 1, "text-generation", 256, 100, "f32", DateTimeOffset.UnixEpoch, []));
    }

    public Task<ITextRun> WriteAsync(GenerationOrder order, GenerationCaller caller, CancellationToken cancel)
    {
        (Asked, Caller) = (order, caller);
        return Task.FromResult<ITextRun>(new Run(this, pieces));
    }

    public Task<ServableModel> FindOnlyAsync(string? name, CancellationToken cancel) => throw new NotSupportedException();

    public Task<IScoringRun> ScoreAsync(ServableModel model, GenerationCaller caller, CancellationToken cancel) => throw new NotSupportedException();

    public Task<IEncoderRun> ReadAsync(ServableModel model, string operation, GenerationCaller caller, CancellationToken cancel) => throw new NotSupportedException();

    public Task<IProbeRun> ProbeAsync(UnlistedModel model, GenerationCaller caller, CancellationToken cancel) => throw new NotSupportedException();

    private sealed class Run(ScriptedText owner, string[] pieces) : ITextRun
    {
        private int _made;
        private bool _isEnded;

        public ServableModel Model => owner.Asked!.Model;

        public IReadOnlyList<int[]> Prompts => [[1, 2, 3, 4, 5, 6, 7]];

        public int Choices => 1;

        public bool HasTokenizer => true;

        public bool KnowsTools => false;

        public async IAsyncEnumerable<GeneratedPiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
        {
            foreach (var piece in pieces)
            {
                await Task.Yield();
                cancel.ThrowIfCancellationRequested();
                _made++;
                yield return new GeneratedPiece(0, _made, piece, piece.Length, Finish: null, ByStopText: false, IsEndToken: false, Shown: null, Score: null);
            }
        }

        public Task<PromptEcho> EchoAsync(int prompt, CancellationToken cancel) => throw new NotSupportedException();

        public Task<GenerationUsage> EndAsync()
        {
            owner.Ended += _isEnded ? 0 : 1;
            _isEnded = true;
            return Task.FromResult(new GenerationUsage(7, 0, _made, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero));
        }

        public async ValueTask DisposeAsync() => await EndAsync();
    }
}
