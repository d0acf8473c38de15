using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>Scores with the engine that serves, so what is measured is what users get.</summary>
internal sealed class ScoringRun : IScoringRun
{
    private readonly ModelLease _lease;
    private readonly EnginePlace _place;
    private readonly RunTotal _total = new();
    private readonly RunEnd _end;

    /// <param name="place">Given back at the end, as the lease is.</param>
    public ScoringRun(ModelLease lease, EnginePlace place, Func<GenerationUsage, Task> record)
    {
        (_lease, _place) = (lease, place);
        _end = new RunEnd(StopAsync, record, lease);
    }

    public string Reference => _lease.Model.Reference;

    public int ContextLength => _lease.Model.Engine.Shape.ContextLength;

    public int? BeginToken => _lease.Model.BeginToken;

    public int[] Encode(string text)
    {
        try
        {
            return _lease.Model.Tokenizer!.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);
        }
        catch (TokenizerFormatException fault)
        {
            throw Refused.CannotEncode(fault); // a job has no handler of errors that would say it
        }
    }

    public long BytesOf(IEnumerable<int> ids) => ids.Sum(id => (long)(_lease.Model.Texts!.Bytes(id)?.Length ?? 0));

    public async Task<TokenScore[]> ScoreAsync(int[] ids, int from, CancellationToken cancel)
    {
        var request = new ScoringRequest { Tokens = ids, From = from, Caller = _place.Caller };
        var scores = await _total.RunAsync(_lease.Model.Engine.SubmitScoring(request, _place), cancel).ConfigureAwait(false);
        return [.. scores.Select(score => new TokenScore(score.Logprob, score.IsLikeliest))];
    }

    public Task<GenerationUsage> EndAsync() => _end.Task;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private async Task<GenerationUsage> StopAsync()
    {
        _place.Dispose();
        return GenerationUsage.Of(await _total.EndAsync().ConfigureAwait(false), _lease.Waited);
    }
}
