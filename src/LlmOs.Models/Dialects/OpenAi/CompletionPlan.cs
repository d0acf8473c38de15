using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>A completion request with every field checked.</summary>
/// <param name="Choices">Replies that are made for each prompt.</param>
/// <param name="Shown">Replies that are shown for each prompt, of those that are made.</param>
internal sealed record CompletionPlan(
    TextRequest Request, int Choices, long? Seed, IReadOnlyList<PromptItem> Prompts, bool Echo, int? Logprobs, bool AddSpecialTokens, int Shown, bool ReturnTokenIds, bool Stream, bool IncludeUsage, KeepAlive? KeepAlive, TimeSpan? Timeout)
{
    private const int DefaultMaxTokens = 16;
    private const int MaxPrompts = 2048;

    /// <summary>What can be said before the model is known.</summary>
    public static PromptInput CheckShape(CompletionRequest request)
    {
        var prompt = request.Prompt
            ?? throw LlmOsException.Invalid("prompt", "'prompt' is missing. Send a text, a list of texts, a list of token ids, or a list of such lists.");
        if (prompt.Items.Count > MaxPrompts)
        {
            throw LlmOsException.Invalid("prompt", $"'prompt' holds {prompt.Items.Count} prompts; at most {MaxPrompts} are accepted.");
        }

        if (request.StreamOptions is not null && request.Stream != true)
        {
            throw LlmOsException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
        }

        return prompt;
    }

    /// <param name="vocabulary">The model's ids go from 0 to one less.</param>
    public static CompletionPlan From(CompletionRequest request, int vocabulary)
    {
        OpenAiFields.RefuseUnbuilt(request);
        GenerationRules.Refuse("suffix", string.IsNullOrEmpty(request.Suffix), "filling in the middle");
        var echo = request.Echo ?? false;
        var stream = request.Stream ?? false;
        var maxTokens = GenerationRules.CheckMaxTokens("max_tokens", request.MaxTokens, echo ? 0 : 1) ?? DefaultMaxTokens;
        var logprobs = GenerationRules.CheckTopLogprobs("logprobs", request.Logprobs);
        var choices = GenerationRules.CheckChoices("n", request.N);
        var bestOf = (int)(GenerationRules.CheckWhole("best_of", request.BestOf, choices, GenerationRules.MaxChoices, $"n to {GenerationRules.MaxChoices}") ?? choices);
        if (bestOf > choices && stream)
        {
            throw LlmOsException.Invalid("best_of", "'best_of' above 'n' cannot be streamed: which replies are best is known at the end alone.");
        }

        if (bestOf > choices && request.NumBeams > 1)
        {
            throw LlmOsException.Invalid("best_of", "'best_of' has no meaning with 'num_beams': a beam search gives its best texts first.");
        }

        // Ranking needs the log-probabilities even if nobody asked to see them.
        var text = OpenAiFields.ToRequest(request, vocabulary, maxTokens, logprobs ?? (bestOf > choices ? 0 : null));
        return new CompletionPlan(
            text,
            bestOf,
            request.Seed,
            request.Prompt!.Items,
            echo,
            logprobs,
            request.AddSpecialTokens ?? true,
            choices,
            request.ReturnTokenIds ?? false,
            stream,
            request.StreamOptions?.IncludeUsage ?? false,
            Loading.KeepAlive.Read(request.KeepAlive),
            Deadline.Read(request.Timeout));
    }

    /// <summary>What is asked of a model.</summary>
    public GenerationOrder ToOrder(ServableModel model) => new()
    {
        Model = model,
        Operation = ScoresPrompts && Request.MaxTokens == 0 ? Operations.Scoring : Operations.Completion,
        Field = "prompt",
        Prompts = [.. Prompts.Select(item => new GenerationPrompt { Text = item.Text, Ids = item.Ids, AddSpecialTokens = AddSpecialTokens })],
        Request = Request,
        Choices = Choices,
        Seed = Seed,
        KeepAlive = KeepAlive,
        Timeout = Timeout,
        PromptLogprobs = Echo ? Logprobs : null,
        ScoringField = ScoresPrompts ? "echo" : null,
    };

    private bool ScoresPrompts => Echo && Logprobs is not null;
}
