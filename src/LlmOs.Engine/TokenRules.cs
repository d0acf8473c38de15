namespace LlmOs.Engine;

/// <summary>Which tokens may come, whatever their scores: transformers' rules of the same names. The defaults forbid nothing.</summary>
public sealed record TokenRules
{
    public static TokenRules None { get; } = new();

    /// <summary>No group of so many tokens occurs twice in prompt and reply; 0: no rule.</summary>
    public int NoRepeatNgram { get; init; }

    /// <summary>No group of so many tokens of the source occurs in the reply; 0: no rule. For encoder-decoders.</summary>
    public int SourceNoRepeatNgram { get; init; }

    /// <summary>Sequences of tokens that do not come. One that is just an end token is no rule.</summary>
    public IReadOnlyList<int[]> BadWords { get; init; } = [];

    /// <summary>Added to the score of a sequence's last token where the others stand before it.</summary>
    public IReadOnlyList<(int[] Tokens, float Bias)> SequenceBias { get; init; } = [];

    /// <summary>Tokens that never come.</summary>
    public IReadOnlyList<int> Suppressed { get; init; } = [];

    /// <summary>Tokens that do not come first.</summary>
    public IReadOnlyList<int> SuppressedAtBegin { get; init; } = [];

    /// <summary>The first token after a single token of prompt (the decoder's start).</summary>
    public int? ForcedBegin { get; init; }

    /// <summary>The last token that the limit of length leaves room for.</summary>
    public int? ForcedEnd { get; init; }

    /// <summary>
    /// Scores become log-probabilities again once every rule has acted, so that what rules took away is shared out among the rest. It
    /// changes what a beam search adds up, and no choice of a single text.
    /// </summary>
    public bool Renormalize { get; init; }

    /// <summary>Whether a rule looks at what came before.</summary>
    internal bool LooksBack => NoRepeatNgram > 0 || SourceNoRepeatNgram > 0 || BadWords.Any(w => w.Length > 1) || SequenceBias.Any(b => b.Tokens.Length > 1);

    /// <summary>Whether there is any rule.</summary>
    internal bool Any => LooksBack || BadWords.Count > 0 || SequenceBias.Count > 0 || Suppressed.Count > 0 || SuppressedAtBegin.Count > 0 || ForcedBegin is not null || ForcedEnd is not null;
}
