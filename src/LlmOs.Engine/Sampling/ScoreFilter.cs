namespace LlmOs.Engine.Sampling;

/// <summary>
/// A way to take tokens out before one is drawn, with its own number. It sees the scores of the whole vocabulary, divided by the
/// temperature, before top-k; a score of minus infinity is out. A new one is a class here, a field of the request, and the
/// line that makes the one of the other.
/// </summary>
public abstract record ScoreFilter
{
    /// <summary>What is wrong with its number; null when nothing is.</summary>
    internal abstract string? Fault { get; }

    /// <summary>Changes scores in place, without allocating. The best score must stay.</summary>
    internal abstract void Apply(Span<float> scores);
}
