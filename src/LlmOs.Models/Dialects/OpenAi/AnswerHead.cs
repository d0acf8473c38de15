using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>What the chunks of one answer share.</summary>
/// <param name="Model">The name that was asked for.</param>
internal sealed record AnswerHead(string Id, long Created, string Model);

/// <summary>Why a text ended, in OpenAI's words.</summary>
internal static class FinishWords
{
    /// <summary>Null while the text goes on.</summary>
    public static string? Of(FinishReason? finish) => finish is not { } reason ? null : reason switch
    {
        FinishReason.Stop => FinishReasons.Stop,
        FinishReason.Length => FinishReasons.Length,
    };

    /// <summary>A text of no tokens was as long as it may be.</summary>
    public static string Of(Reply reply) => Of(reply.Finish) ?? FinishReasons.Length;
}
