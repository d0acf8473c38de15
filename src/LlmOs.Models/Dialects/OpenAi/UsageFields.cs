using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>What a run cost, as OpenAI's clients read it.</summary>
internal static class UsageFields
{
    public static Usage ToUsage(this GenerationUsage usage) => new(
        usage.PromptTokens,
        usage.GeneratedTokens,
        usage.PromptTokens + usage.GeneratedTokens,
        new PromptTokensDetails(usage.CachedTokens),
        usage.ToLlmOs(truncatedTokens: 0));

    public static LlmOsUsage ToLlmOs(this GenerationUsage usage, int truncatedTokens) => new(
        Milliseconds(usage.QueueTime),
        Milliseconds(usage.PromptTime),
        Milliseconds(usage.DecodeTime),
        Milliseconds(usage.LoadTime),
        usage.CachedTokens,
        truncatedTokens);

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
