using System.Runtime.InteropServices;

namespace LlmOs.Engine.Sampling;

/// <summary>What one sequence carries from token to token for choosing the next: its settings, its seed, what it has seen.</summary>
internal sealed class TokenChoice
{
    private readonly HashSet<int>? _seenSet;
    private readonly List<int> _seen = [];
    private readonly Dictionary<int, int>? _madeIndex;
    private readonly List<int> _made = [];
    private readonly List<int> _madeCounts = [];
    private readonly TokenRules _rules;
    private readonly int[] _source;
    private readonly int _promptLength;
    private readonly List<int>? _history; // prompt and reply, where a rule looks back

    /// <summary>Another one that has seen the same and goes its own way.</summary>
    private TokenChoice(TokenChoice other)
    {
        (Parameters, TopLogprobs, MinTokens, EndTokens, Seed, MaxTokens) = (other.Parameters, other.TopLogprobs, other.MinTokens, other.EndTokens, other.Seed, other.MaxTokens);
        (_rules, _source, _promptLength) = (other._rules, other._source, other._promptLength);
        _history = other._history is null ? null : [.. other._history];
        _seenSet = other._seenSet is null ? null : [.. other._seenSet];
        _seen = [.. other._seen];
        _madeIndex = other._madeIndex is null ? null : new(other._madeIndex);
        _made = [.. other._made];
        _madeCounts = [.. other._madeCounts];
    }

    public TokenChoice(GenerationRequest request)
    {
        var parameters = request.Sampling;
        Parameters = parameters;
        TopLogprobs = request.TopLogprobs;
        MinTokens = request.MinTokens;
        EndTokens = request.EndTokens;
        Seed = parameters.Seed ?? SeededDraw.NewSeed();
        (_rules, _source, _promptLength) = (request.Rules, request.SourceTokens, request.PromptTokens.Length);
        _history = _rules.LooksBack ? [.. request.PromptTokens] : null;
        if (parameters.RepetitionPenalty != 1)
        {
            _seenSet = [];
            foreach (var token in request.PromptTokens)
            {
                See(token);
            }
        }

        if (parameters.PresencePenalty != 0 || parameters.FrequencyPenalty != 0)
        {
            _madeIndex = [];
        }
    }

    public SamplingParameters Parameters { get; }

    public int? TopLogprobs { get; }

    public IReadOnlyList<int> EndTokens { get; }

    public int MinTokens { get; }

    public long Seed { get; }

    /// <summary>Distinct tokens of prompt and reply; empty unless a repetition penalty asks for them.</summary>
    public ReadOnlySpan<int> Seen => CollectionsMarshal.AsSpan(_seen);

    /// <summary>Distinct tokens of the reply; empty unless a presence or frequency penalty asks for them.</summary>
    public ReadOnlySpan<int> Made => CollectionsMarshal.AsSpan(_made);

    /// <summary>How often each of <see cref="Made"/> was made.</summary>
    public ReadOnlySpan<int> MadeCounts => CollectionsMarshal.AsSpan(_madeCounts);

    /// <summary>Whether anything but temperature and filters changes the logits of the token at a position.</summary>
    public bool ChangesLogits(int position) =>
        _seenSet is not null || _madeIndex is not null || Parameters.LogitBias is { Count: > 0 } || position < MinTokens || _rules.Any;

    /// <summary>Maximum new tokens; the engine sets it once it knows the room that the context leaves.</summary>
    public int MaxTokens { get; set; } = int.MaxValue;

    /// <summary>Applies penalties, bias and rules to the scores of the token at a position, in transformers' order.</summary>
    public void Apply(Span<float> scores, int position)
    {
        var history = CollectionsMarshal.AsSpan(_history);
        HistoryFilters.BiasSequences(scores, history, _rules.SequenceBias);
        LogitFilters.RepetitionPenalty(scores, Seen, (float)Parameters.RepetitionPenalty);
        LogitFilters.OccurrencePenalties(scores, Made, MadeCounts, (float)Parameters.PresencePenalty, (float)Parameters.FrequencyPenalty);
        if (Parameters.LogitBias is { Count: > 0 } bias)
        {
            LogitFilters.Bias(scores, bias);
        }

        if (_rules.NoRepeatNgram > 0)
        {
            HistoryFilters.BanRepeats(scores, history, history, _rules.NoRepeatNgram);
        }

        if (_rules.SourceNoRepeatNgram > 0)
        {
            HistoryFilters.BanRepeats(scores, _source, history, _rules.SourceNoRepeatNgram);
        }

        HistoryFilters.BanWords(scores, history, _rules.BadWords, EndTokens);
        if (position < MinTokens)
        {
            LogitFilters.Ban(scores, EndTokens);
        }

        if (position == 0 && _promptLength == 1 && _rules.ForcedBegin is { } first)
        {
            HistoryFilters.Force(scores, first);
        }

        if (position == MaxTokens - 1 && _rules.ForcedEnd is { } last)
        {
            HistoryFilters.Force(scores, last);
        }

        LogitFilters.Ban(scores, _rules.Suppressed);
        if (position == 0)
        {
            LogitFilters.Ban(scores, _rules.SuppressedAtBegin);
        }
    }

    public TokenChoice Fork() => new(this);

    /// <summary>Notes a token of the reply.</summary>
    public void Add(int token)
    {
        _history?.Add(token);
        if (_seenSet is not null)
        {
            See(token);
        }

        if (_madeIndex is null)
        {
            return;
        }

        ref var at = ref CollectionsMarshal.GetValueRefOrAddDefault(_madeIndex, token, out var known);
        if (known)
        {
            _madeCounts[at]++;
            return;
        }

        at = _made.Count;
        _made.Add(token);
        _madeCounts.Add(1);
    }

    private void See(int token)
    {
        if (_seenSet!.Add(token))
        {
            _seen.Add(token);
        }
    }
}
