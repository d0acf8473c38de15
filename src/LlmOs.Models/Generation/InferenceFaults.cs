using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Generation;

/// <summary>Which faults of the engine the caller can act on.</summary>
public static class InferenceFaults
{
    /// <summary>The refusal that a fault is; null for a bug.</summary>
    public static LlmOsException? AsRefusal(Exception fault) => fault switch
    {
        LlmOsException refusal => refusal,
        EngineBusyException busy => new LlmOsException(ErrorCode.Overloaded, busy.Message, busy)
        {
            Hint = $"{busy.Ahead} requests are before it.",
            RetryAfter = busy.RetryAfter,
        },
        EngineChoiceException none => new LlmOsException(ErrorCode.InvalidRequest, none.Message, none)
        {
            Hint = "Allow a token: look at logit_bias, bad_words_ids, min_tokens, and what the model's generation_config.json suppresses.",
        },
        EngineClosedException closed => new LlmOsException(ErrorCode.Unavailable, "The model was unloaded while it answered.", closed) { Hint = "Send the request again." },
        _ => null,
    };

    /// <summary>Awaits an answer and throws its fault as the refusal that it is.</summary>
    public static async Task<T> TranslateAsync<T>(Task<T> answer)
    {
        try
        {
            return await answer;
        }
        catch (Exception fault) when (fault is not LlmOsException && AsRefusal(fault) is not null)
        {
            throw AsRefusal(fault)!;
        }
    }
}
