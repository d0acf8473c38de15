namespace LlmOs.Engine;

/// <summary>What a run cost, counted by the loop that did the work: tokens count when they are made, whether or not anybody reads them.</summary>
/// <param name="PromptTokens">
/// Tokens read so far, those from the cache among them. For an encoder-decoder the source, and what follows the decoder's start
/// token; for an encoder the tokens of its texts without padding.
/// </param>
/// <param name="CachedTokens">Those of them whose keys and values were already there.</param>
/// <param name="GeneratedTokens">Tokens chosen; for a beam search those of every beam.</param>
/// <param name="QueueTime">From submission to the first step it took part in, or to its end.</param>
/// <param name="PromptTime">From there to the first token, or to its end.</param>
/// <param name="DecodeTime">From the first token to the last.</param>
public sealed record EngineUsage(
    int PromptTokens,
    int CachedTokens,
    int GeneratedTokens,
    TimeSpan QueueTime,
    TimeSpan PromptTime,
    TimeSpan DecodeTime)
{
    /// <summary>What nothing costs.</summary>
    public static EngineUsage None { get; } = new(0, 0, 0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
}
