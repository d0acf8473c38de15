using System.Numerics.Tensors;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Sampling;

/// <summary>
/// The bookkeeping of one beam search. Each step it gets the logits of the running beams and says which beam goes on from
/// which with which token. Rules are those of transformers' vectorised beam search: penalties act on log-probabilities, twice as
/// many candidates as beams are looked at, a candidate that ends counts only among the best as many as there are beams.
/// </summary>
internal sealed class BeamSearch
{
    private readonly GenerationRequest _request;
    private readonly BeamSettings _settings;
    private readonly int _maxNew;
    private readonly int _candidates;
    private readonly float[] _scores;
    private readonly float[] _weights;
    private Beam[] _running;
    private List<(Beam Beam, double Score)> _finished = [];
    private bool _canImprove = true;

    /// <param name="maxNew">Maximum new tokens, already cut to the room in the context.</param>
    public BeamSearch(GenerationRequest request, int maxNew, int vocabulary)
    {
        (_request, _settings, _maxNew) = (request, request.Beams!, maxNew);
        _candidates = Math.Max(2, 1 + request.EndTokens.Distinct().Count()) * _settings.Beams;
        _scores = new float[vocabulary];
        _weights = request.Rules.Renormalize ? new float[vocabulary] : [];
        var choice = new TokenChoice(request) { MaxTokens = maxNew };
        // At first all beams are the prompt; only one of them may win candidates.
        _running = [new Beam(null, default, 0, choice)];
    }

    /// <summary>Tokens each running beam has.</summary>
    public int Length { get; private set; }

    /// <summary>Whether the search is over; no step may follow.</summary>
    public bool IsDone { get; private set; }

    /// <summary>For each beam of the next step, the beam of this step that it continues.</summary>
    public int[] Parents { get; private set; } = [];

    /// <summary>For each beam of the next step, the token it begins with.</summary>
    public int[] Tokens { get; private set; } = [];

    /// <summary>Takes the logits of one step, by beam.</summary>
    /// <exception cref="EngineStepException">Logits hold a number that is not one.</exception>
    public void Advance(RowLogits logits)
    {
        var candidates = Best(logits);
        var isLast = Length + 1 >= _maxNew;
        Finish(candidates, isLast);

        Length++;
        var going = candidates.Where(c => !isLast && !IsEnd(c.Token)).Take(_settings.Beams).ToList();
        if (going.Count == 0)
        {
            IsDone = true;
            return;
        }

        var parents = _running;
        _running = [.. going.Select(Continue)];
        Array.ForEach(parents, parent => parent.Step = null); // a vocabulary of numbers each; nobody asks again
        // Where masks leave fewer candidates than beams, the rest of the rows run the first one's text again, for nobody.
        var all = going.Concat(Enumerable.Repeat(going[0], _settings.Beams - going.Count)).ToList();
        Parents = [.. all.Select(c => c.Parent)];
        Tokens = [.. all.Select(c => c.Token)];
        IsDone = !MayImprove(going[0].Score) || (_settings.EarlyStopping == EarlyStopping.Always && _finished.Count == _settings.Beams);
    }

    /// <summary>The texts found, best first, as many as there are beams at most.</summary>
    public IReadOnlyList<BeamText> Texts() => _finished.Count == 0
        ? [.. _running.Select(b => new BeamText(b.Pieces(byEnd: false), b.Score / Math.Pow(Math.Max(1, Length), _settings.LengthPenalty)))] // masks left nothing to choose
        : [.. _finished.Select(f => new BeamText(f.Beam.Pieces(IsEnd(f.Beam.Token.Token)), f.Score))];

    /// <summary>The best continuations over all beams, best first; among equals the earlier beam and the lower token.</summary>
    private List<Candidate> Best(RowLogits logits)
    {
        var queue = new PriorityQueue<Candidate, (double Score, long Order)>();
        for (var beam = 0; beam < _running.Length; beam++)
        {
            var row = logits[beam];
            var best = TensorPrimitives.Max(row);
            if (float.IsNaN(best))
            {
                throw new EngineStepException("The model computed logits that are not numbers (NaN); the weights or the graph are at fault.");
            }

            var normaliser = best + Math.Log(LogitFilters.Weigh(row, best, _scores));
            TensorPrimitives.Subtract(row, (float)normaliser, _scores);
            _running[beam].Choice.Apply(_scores, Length);
            if (_request.Rules.Renormalize)
            {
                LogitFilters.Normalise(_scores, _weights);
            }

            for (var token = 0; token < _scores.Length; token++)
            {
                var score = _running[beam].Score + _scores[token];
                if (float.IsNegativeInfinity(_scores[token]))
                {
                    continue;
                }

                var order = -(((long)beam * _scores.Length) + token);
                if (queue.Count < _candidates)
                {
                    queue.Enqueue(new Candidate(beam, token, score), (score, order));
                }
                else if (queue.TryPeek(out _, out var worst) && (score, order).CompareTo(worst) > 0)
                {
                    queue.DequeueEnqueue(new Candidate(beam, token, score), (score, order));
                }
            }

            NoteLogprobs(beam, row, normaliser);
        }

        List<Candidate> found = [];
        while (queue.TryDequeue(out var candidate, out _))
        {
            found.Add(candidate);
        }

        found.Reverse();
        return found;
    }

    /// <summary>What the model itself thought at this step, for those who asked.</summary>
    private void NoteLogprobs(int beam, ReadOnlySpan<float> row, double normaliser)
    {
        if (_request.TopLogprobs is { } top)
        {
            _running[beam].Step = (row.ToArray(), normaliser, Sampler.Highest(row, normaliser, top));
        }
    }

    /// <summary>Candidates that end, and rank among the first as many as there are beams, compete with the finished texts.</summary>
    private void Finish(List<Candidate> candidates, bool isLast)
    {
        var isFull = _finished.Count == _settings.Beams;
        if (!_canImprove || (isFull && _settings.EarlyStopping == EarlyStopping.Always))
        {
            return;
        }

        var ended = candidates.Take(_settings.Beams).Where(c => isLast || IsEnd(c.Token))
            .Select(c => (Continue(c), c.Score / Math.Pow(Length + 1, _settings.LengthPenalty)));
        // A stable sort: among equals those found earlier stay ahead.
        _finished = [.. _finished.Concat(ended).OrderByDescending(f => f.Item2).Take(_settings.Beams)];
    }

    /// <summary>Whether a running beam may still beat the worst of the finished texts.</summary>
    private bool MayImprove(double bestRunning)
    {
        var length = _settings is { EarlyStopping: EarlyStopping.Never, LengthPenalty: > 0 } ? _maxNew : Length;
        var hope = bestRunning / Math.Pow(length, _settings.LengthPenalty);
        _canImprove &= _finished.Count < _settings.Beams || hope > _finished[^1].Score;
        return _canImprove;
    }

    private Beam Continue(Candidate candidate)
    {
        var parent = _running[candidate.Parent];
        var token = parent.Step is { } step
            ? new ChosenToken(candidate.Token, (float)(step.Row[candidate.Token] - step.Normaliser), step.Top)
            : new ChosenToken(candidate.Token, null, []);
        var choice = parent.Choice.Fork();
        choice.Add(candidate.Token);
        return new Beam(parent, token, candidate.Score, choice);
    }

    private bool IsEnd(int token) => _request.EndTokens.Contains(token);

    private readonly record struct Candidate(int Parent, int Token, double Score);

    /// <summary>A text as a chain: its last token, and the text before it.</summary>
    private sealed class Beam(Beam? before, ChosenToken token, double score, TokenChoice choice)
    {
        public ChosenToken Token { get; } = token;

        /// <summary>Sum of processed log-probabilities.</summary>
        public double Score { get; } = score;

        public TokenChoice Choice { get; } = choice;

        /// <summary>The logits after this token, while log-probabilities are wanted.</summary>
        public (float[] Row, double Normaliser, TokenLogprob[] Top)? Step { get; set; }

        private Beam? Before { get; } = before;

        public List<GenerationPiece> Pieces(bool byEnd)
        {
            List<GenerationPiece> pieces = [];
            for (var beam = this; beam.Before is not null; beam = beam.Before)
            {
                FinishReason? finish = pieces.Count > 0 ? null : byEnd ? FinishReason.Stop : FinishReason.Length;
                pieces.Add(new GenerationPiece(beam.Token.Token, beam.Token.Logprob, beam.Token.Top, finish));
            }

            pieces.Reverse();
            return pieces;
        }
    }
}
