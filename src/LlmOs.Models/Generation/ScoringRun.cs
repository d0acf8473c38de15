using LlmOs.Formats.Text;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>Scores with the engine that serves, so what is measured is what users get.</summary>
internal sealed class ScoringRun : IScoringRun
{
    private readonly ModelLease _lease;
    private readonly RunTotal _total = new();
    private readonly RunEnd _end;

    public ScoringRun(ModelLease lease, Func<GenerationUsage, Task> record)
    {
        _lease = lease;
        _end = new RunEnd(async () => GenerationUsage.Of(await _total.EndAsync().ConfigureAwait(false), lease.Waited), record, lease);
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
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        var logits = await _total.RunAsync(_lease.Model.Engine.SubmitScoring(ids, source: []), cancel).ConfigureAwait(false); // [ids, V]
        var vocabulary = logits.Length / ids.Length;
        var scores = new TokenScore[ids.Length - from];
        for (var at = 0; at < scores.Length; at++)
        {
            scores[at] = Score(logits.AsSpan((from + at - 1) * vocabulary, vocabulary), ids[from + at]);
        }

        return scores;
    }

    public Task<GenerationUsage> EndAsync() => _end.Task;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    /// <summary>The log-softmax in f64, of the f32 logits.</summary>
    private static TokenScore Score(ReadOnlySpan<float> row, int token)
    {
        var highest = float.NegativeInfinity;
        foreach (var logit in row)
        {
            highest = Math.Max(highest, logit);
        }

        var sum = 0.0;
        foreach (var logit in row)
        {
            sum += Math.Exp(logit - highest);
        }

        return new TokenScore(row[token] - (highest + Math.Log(sum)), row[token] >= highest);
    }
}
