using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>Makes the prompts' ids with a model's tokenizer and template, and refuses what the model cannot take.</summary>
internal static class PromptReader
{
    public static IReadOnlyList<int[]> Read(LoadedModel model, GenerationOrder order, CancellationToken cancel)
    {
        var prompts = order.Prompts.Select(p => Cut(model, Encode(model, p, p.Field ?? order.Field, cancel), order.Cut)).ToList();
        CheckScores(model, order);
        return prompts.ConvertAll(p => Check(model, p, order));
    }

    private static int[] Encode(LoadedModel model, GenerationPrompt prompt, string field, CancellationToken cancel) => prompt switch
    {
        { Ids: { } ids } => [.. ids],
        { Chat: { } chat } => (model.Chat ?? throw Refused.NoTokenizer(model.Reference, field)).Encode(chat, cancel),
        _ => (model.Tokenizer ?? throw Refused.NoTokenizer(model.Reference, field)).Encode(prompt.Text!, prompt.AddSpecialTokens, parseSpecialTokens: false),
    };

    private static int[] Cut(LoadedModel model, int[] ids, PromptCut? cut)
    {
        var shape = model.Engine.Shape;
        var max = cut is null ? int.MaxValue : Math.Min(cut.MaxTokens ?? model.TokenizerLimit ?? int.MaxValue, shape.Cross?.MaxSource ?? (shape.ContextLength - 1));
        return ids.Length <= max ? ids : cut!.Side == Truncation.Left ? ids[^max..] : ids[..max];
    }

    private static void CheckScores(LoadedModel model, GenerationOrder order)
    {
        if (order.ScoringField is { } field && model.Seq2Seq is not null)
        {
            throw LlmOsException.Invalid(field, $"'{field}' asks for the log-probabilities of a prompt; an encoder-decoder reads its prompt and gives it none.");
        }
    }

    private static int[] Check(LoadedModel model, int[] prompt, GenerationOrder order)
    {
        var shape = model.Engine.Shape;
        if (prompt.Length == 0)
        {
            // As OpenAI does: an empty prompt asks for the beginning of a text.
            return model.BeginToken is { } begin
                ? [begin]
                : throw LlmOsException.Invalid(order.Field, $"'{order.Field}' holds no token, and this model has no begin token. Send some text.");
        }

        if (shape.Cross is { } source && prompt.Length > source.MaxSource)
        {
            throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {source.MaxSource} tokens; the prompt has {prompt.Length}.")
            {
                Field = order.Field,
                Hint = $"Shorten the prompt to at most {source.MaxSource} tokens.",
            };
        }

        var bad = prompt.AsSpan().IndexOfAnyExceptInRange(0, shape.Vocabulary - 1);
        if (bad >= 0)
        {
            throw LlmOsException.Invalid(order.Field, $"'{order.Field}' holds the id {prompt[bad]}; the model's ids go from 0 to {shape.Vocabulary - 1}.");
        }

        var max = shape.Cross is { } cross ? cross.MaxSource : order.Request.MaxTokens == 0 ? shape.ContextLength : shape.ContextLength - 1;
        return prompt.Length <= max
            ? prompt
            : throw new LlmOsException(
                ErrorCode.ContextLengthExceeded,
                $"The model's context holds {shape.ContextLength} tokens, prompt and reply together; the prompt alone has {prompt.Length}.")
            {
                Field = order.Field,
                Hint = $"Shorten the prompt to at most {max} tokens, or take a model with a longer context.",
            };
    }
}
