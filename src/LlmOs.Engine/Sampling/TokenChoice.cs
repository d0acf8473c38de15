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

    public TokenChoice(GenerationRequest request)
    {
        var parameters = request.Sampling;
        Parameters = parameters;
        TopLogprobs = request.TopLogprobs;
        MinTokens = request.MinTokens;
        EndTokens = request.EndTokens;
        Seed = parameters.Seed ?? SeededDraw.NewSeed();
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
        _seenSet is not null || _madeIndex is not null || Parameters.LogitBias is { Count: > 0 } || position < MinTokens;

    /// <summary>Notes a token of the reply.</summary>
    public void Add(int token)
    {
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
