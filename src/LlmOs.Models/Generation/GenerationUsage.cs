using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>What a run cost, by the engine's counts; the reply and the usage record both say this.</summary>
/// <param name="PromptTokens">Tokens read, each prompt once however many texts were made of it.</param>
/// <param name="CachedTokens">Those of them whose keys and values were already there.</param>
/// <param name="GeneratedTokens">Tokens made, whether or not anybody read them.</param>
/// <param name="QueueTime">Of texts that were made together the longest.</param>
/// <param name="LoadTime">Waiting for the model to be loaded.</param>
public sealed record GenerationUsage(int PromptTokens, int CachedTokens, int GeneratedTokens, TimeSpan QueueTime, TimeSpan PromptTime, TimeSpan DecodeTime, TimeSpan LoadTime)
{
    public static GenerationUsage Of(EngineUsage usage, TimeSpan load) =>
        new(usage.PromptTokens, usage.CachedTokens, usage.GeneratedTokens, usage.QueueTime, usage.PromptTime, usage.DecodeTime, load);
}
