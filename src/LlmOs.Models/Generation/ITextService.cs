using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>What the tiers above need of a model: text in, text out, without HTTP.</summary>
public interface ITextService
{
    /// <summary>Refuses a model string that means nothing, or a model that does not write text.</summary>
    /// <param name="field">Where the request names it.</param>
    Task RequireAsync(string model, string field, CancellationToken cancel);

    /// <summary>Begins to continue a text; refuses one that does not fit the model's context.</summary>
    Task<ITextReply> StartAsync(TextPrompt prompt, CancellationToken cancel);
}

/// <summary>A text with everything that decides its continuation.</summary>
/// <param name="Model">A model string.</param>
/// <param name="MaxTokens">Most new tokens; cut to the room that the text leaves.</param>
/// <param name="Stop">Texts that end the reply.</param>
/// <param name="Field">Where the request holds the text, for refusals.</param>
public sealed record TextPrompt(string Model, string Text, int MaxTokens, IReadOnlyList<string> Stop, SamplingParameters Sampling, string Field);

/// <summary>A reply under way. Disposing it stops the work and gives the model back.</summary>
public interface ITextReply : IDisposable
{
    /// <summary><c>name:3</c></summary>
    string Model { get; }

    int PromptTokens { get; }

    /// <summary>So far.</summary>
    int CompletionTokens { get; }

    /// <summary>The text as it comes; to be read once.</summary>
    IAsyncEnumerable<string> Pieces(CancellationToken cancel);
}
