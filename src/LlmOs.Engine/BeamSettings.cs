namespace LlmOs.Engine;

/// <summary>When a beam search may stop before its limit of length.</summary>
public enum EarlyStopping
{
    /// <summary>When no running beam can beat the finished ones at the length it has now (a heuristic).</summary>
    Heuristic,

    /// <summary>As soon as there are as many finished texts as beams.</summary>
    Always,

    /// <summary>Only when no running beam can beat the finished ones at any length.</summary>
    Never,
}

/// <summary>Beam search: keeps the most likely texts side by side. Same rules as transformers' <c>generate</c>.</summary>
/// <param name="Beams">Texts kept, 2 or more; at most the slots of the cache.</param>
/// <param name="LengthPenalty">A text's score is its log-probability over its length to this power.</param>
public sealed record BeamSettings(int Beams, double LengthPenalty = 1, EarlyStopping EarlyStopping = EarlyStopping.Heuristic);

/// <summary>One text that a beam search found.</summary>
/// <param name="Pieces">Its tokens, the end token included.</param>
/// <param name="Score">Sum of log-probabilities over (number of tokens) ^ length penalty.</param>
public sealed record BeamText(IReadOnlyList<GenerationPiece> Pieces, double Score);

/// <summary>What a beam search found; <see cref="EngineRun.Usage"/> says what it cost.</summary>
/// <param name="Texts">Best first.</param>
public sealed record BeamResult(IReadOnlyList<BeamText> Texts);
