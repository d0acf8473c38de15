using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>What evaluation needs of a model: how likely it finds given tokens.</summary>
public interface IModelScorer
{
    /// <summary>Refuses a model that is not there or cannot score text.</summary>
    /// <returns><c>name:3</c></returns>
    Task<string> RequireAsync(string model, string field, CancellationToken cancel);

    /// <summary>Loads a model if need be and holds it until disposed.</summary>
    Task<IScoringModel> OpenAsync(string model, CancellationToken cancel);
}

/// <summary>A loaded model that scores tokens.</summary>
public interface IScoringModel : IDisposable
{
    /// <summary><c>name:3</c></summary>
    string Reference { get; }

    /// <summary>Most tokens of one run.</summary>
    int ContextLength { get; }

    /// <summary>Null for a model that names none.</summary>
    int? BeginToken { get; }

    /// <summary>Ids of a text without special tokens; special tokens spelt out in it are plain text.</summary>
    int[] Encode(string text);

    /// <summary>UTF-8 bytes that the tokens stand for.</summary>
    long BytesOf(ReadOnlySpan<int> ids);

    /// <summary>Scores of <c>ids[from..]</c>, each given everything before it; <paramref name="from"/> is at least 1.</summary>
    Task<TokenScore[]> ScoreAsync(int[] ids, int from, CancellationToken cancel);
}

/// <summary>A token's log-probability (natural), and whether no other token was likelier.</summary>
public readonly record struct TokenScore(double Logprob, bool IsLikeliest);

/// <summary>Scores with the engine that serves, so what is measured is what users get.</summary>
internal sealed class ModelScorer(ModelCatalogue catalogue, ModelHost host) : IModelScorer
{
    public async Task<string> RequireAsync(string model, string field, CancellationToken cancel) => (await FindAsync(model, field, cancel)).Reference;

    public async Task<IScoringModel> OpenAsync(string model, CancellationToken cancel)
    {
        var lease = await host.LeaseAsync(await FindAsync(model, "model", cancel), cancel);
        if (lease.Model.Tokenizer is not null)
        {
            return new Loaded(lease);
        }

        lease.Dispose();
        throw InferenceGate.NoTokenizer(lease.Model, "model");
    }

    private async Task<ServableModel> FindAsync(string name, string field, CancellationToken cancel)
    {
        try
        {
            var model = await catalogue.FindAsync(name, cancel);
            return model.Task != ModelIntake.TextGeneration
                ? throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model '{model.Name}' is for {model.Task}; an evaluation needs one for {ModelIntake.TextGeneration}.") { Field = field }
                : model.Files.Any(f => f.Path == "tokenizer.json")
                    ? model
                    : throw new LlmOsException(ErrorCode.NoTokenizer, $"The model {model.Reference} was imported without a tokenizer, so it cannot read text.") { Field = field };
        }
        catch (LlmOsException refusal) when (refusal is { Code: ErrorCode.ModelNotFound, Field: null })
        {
            throw new LlmOsException(refusal.Code, refusal.Message, refusal) { Field = field, Hint = refusal.Hint };
        }
    }

    private sealed class Loaded(ModelLease lease) : IScoringModel
    {
        public string Reference => lease.Model.Reference;

        public int ContextLength => lease.Model.Engine.Shape.ContextLength;

        public int? BeginToken => lease.Model.BeginToken;

        public int[] Encode(string text) => lease.Model.Tokenizer!.Encode(text, addSpecialTokens: false, parseSpecialTokens: false);

        public long BytesOf(ReadOnlySpan<int> ids)
        {
            var bytes = 0L;
            foreach (var id in ids)
            {
                bytes += lease.Model.Texts!.Bytes(id)?.Length ?? 0;
            }

            return bytes;
        }

        public async Task<TokenScore[]> ScoreAsync(int[] ids, int from, CancellationToken cancel)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
            var logits = await lease.Model.Engine.LogitsAsync(ids, cancel); // [ids, V]
            var vocabulary = logits.Length / ids.Length;
            var scores = new TokenScore[ids.Length - from];
            for (var at = 0; at < scores.Length; at++)
            {
                scores[at] = Score(logits.AsSpan((from + at - 1) * vocabulary, vocabulary), ids[from + at]);
            }

            return scores;
        }

        public void Dispose() => lease.Dispose();

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
}
