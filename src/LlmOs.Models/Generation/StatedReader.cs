using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>What a pipeline that continues prompts asks of the engine: the model's own settings, over them what the request states.</summary>
internal static class StatedReader
{
    public static IReadOnlyList<GenerationRequest> Read(LoadedModel model, GenerationOrder order, IReadOnlyList<int[]> prompts)
    {
        var settings = model.Defaults.Overlay(order.Stated!);
        var beams = settings.NumBeams ?? 1;
        if (beams > model.Engine.Slots)
        {
            throw LlmOsException.Invalid("parameters.num_beams", $"'parameters.num_beams' is {beams}; this server runs {model.Engine.Slots} sequences together (Engine:Slots).");
        }

        if (beams > 1 && order.Choices > beams)
        {
            throw LlmOsException.Invalid("parameters.num_beams", $"'parameters.num_beams' is {beams}, but {order.Choices} texts are asked for; a search gives one for each beam.");
        }

        return [.. prompts.Select(prompt => ToRequest(model, order, settings, prompt))];
    }

    /// <summary>An encoder-decoder reads the prompt and begins with its start token.</summary>
    private static GenerationRequest ToRequest(LoadedModel model, GenerationOrder order, GenerateArguments settings, int[] prompt)
    {
        var (begun, source) = model.Seq2Seq is { } setup ? ([settings.DecoderStartTokenId ?? setup.StartToken], prompt) : (prompt, Array.Empty<int>());
        if (settings.MaxNewTokens is null && settings.MaxLength <= begun.Length)
        {
            throw LlmOsException.Invalid(order.Field, $"'{order.Field}' has {begun.Length} tokens, and the longest text asked for {settings.MaxLength}, so there is no room for a new one.");
        }

        return settings.ToRequest(begun, source, model.EndTokens) with { TopLogprobs = order.Request.TopLogprobs };
    }
}
